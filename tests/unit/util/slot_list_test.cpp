#include <memory>
#include <set>

#include <gtest/gtest.h>

#include <netkit/util/slot_list.hpp>

namespace netkit {
namespace {

struct Item {
  explicit Item(int number_of_it) : number(number_of_it) {}
  int number;
  std::size_t slot = 0;
};

class SlotListTest : public testing::Test {
 protected:
  Item& add(int number) { return list_.add(std::make_unique<Item>(number)); }
  std::multiset<int> numbers() const {
    std::multiset<int> found;
    list_.for_each([&](const Item& item) { found.insert(item.number); });
    return found;
  }
  SlotList<Item> list_;
};

TEST_F(SlotListTest, HandsOverWhatIsTaken) {
  add(1);
  Item& two = add(2);
  add(3);
  const std::unique_ptr<Item> taken = list_.take(two);
  EXPECT_EQ(taken.get(), &two);
  EXPECT_EQ(numbers(), (std::multiset<int>{1, 3}));
}

TEST_F(SlotListTest, FindsWhatHasMoved) {
  Item& one = add(1);
  add(2);
  Item& three = add(3);
  list_.take(one);
  list_.take(three);
  EXPECT_EQ(numbers(), (std::multiset<int>{2}));
}

TEST_F(SlotListTest, TakesTheLast) {
  list_.take(add(1));
  EXPECT_TRUE(list_.empty());
}

TEST_F(SlotListTest, VisitsEachOnceThoughVisitsRemoveIt) {
  for (int i = 0; i < 10; ++i) add(i);
  std::multiset<int> visited;
  list_.for_each([&](Item& item) {
    visited.insert(item.number);
    if (item.number % 3 != 0) list_.take(item);
  });
  EXPECT_EQ(visited, (std::multiset<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(numbers(), (std::multiset<int>{0, 3, 6, 9}));
}

TEST_F(SlotListTest, DoesNotVisitWhatAVisitAdds) {
  add(1);
  list_.for_each([&](Item&) { add(2); });
  EXPECT_EQ(list_.size(), 2U);
}

}  // namespace
}  // namespace netkit
