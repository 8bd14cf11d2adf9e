// Objects with lifetimes of their own, such as the connections of a server.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace netkit {

// Reserves room for `count` items, growing as rarely as push_back() does: for code that must not
// run out of memory later.
template <typename T>
void reserve_for(std::size_t count, std::vector<T>& items) {
  if (items.capacity() < count) items.reserve(std::max(count, 2 * items.capacity()));
}

// Owns its items, each of which has a member `std::size_t slot` that this list keeps. Adding and
// removing take constant time; there is no order. [one thread]
template <typename Item>
class SlotList {
 public:
  Item& add(std::unique_ptr<Item> item) {
    item->slot = items_.size();
    items_.push_back(std::move(item));
    return *items_.back();
  }

  // Removes `item`, which must be in the list, and hands it over.
  std::unique_ptr<Item> take(const Item& item) {
    const std::size_t slot = item.slot;
    std::unique_ptr<Item> taken = std::move(items_[slot]);
    if (slot + 1 != items_.size()) {
      items_[slot] = std::move(items_.back());
      items_[slot]->slot = slot;
    }
    items_.pop_back();
    return taken;
  }

  // Calls `visit` with each item. It may remove the item that it is given; items that it adds are
  // not visited.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = items_.size(); i-- > 0;) {
      if (i < items_.size()) visit(*items_[i]);
    }
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& item : items_) visit(std::as_const(*item));
  }

  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }

 private:
  std::vector<std::unique_ptr<Item>> items_;
};

}  // namespace netkit
