#include <redis/entry.hpp>

#include <gtest/gtest.h>

namespace netkit::redis {
namespace {

using store::Entry;
using store::Field;

TEST(Entries, AreReadAsTheyWereWritten) {
  const Entry entry{.number = 7,
                    .time = WallTime(std::chrono::microseconds(1795187549000456)),
                    .topic = "a/b",
                    .text = std::string("x\0y", 3),
                    .fields = {{"name", "ann"}},
                    .writer = 3,
                    .sequence = 5};
  std::vector<Field> fields = fields_of(entry);
  EXPECT_EQ(fields.front(), (Field{"text", std::string("x\0y", 3)}));
  fields.push_back({"n", "7"});
  const auto read = entry_of(fields, "1-0");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 7u);
  EXPECT_EQ(read->time, entry.time);
  EXPECT_EQ(read->topic, "a/b");
  EXPECT_EQ(read->text, entry.text);
  EXPECT_EQ(read->fields, entry.fields);
  EXPECT_EQ(read->writer, 3u);
  EXPECT_EQ(read->sequence, 5u);
}

TEST(Entries, OfOtherProgramsHaveTheTimeOfTheirIdAndNoNumber) {
  const auto read = entry_of({{"text", "by hand"}}, "1795187549123-4");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->number, 0u);
  EXPECT_EQ(read->time, WallTime(std::chrono::milliseconds(1795187549123)));
}

TEST(Entries, WithoutATextOrWithANumberThatIsNoneAreNone) {
  EXPECT_FALSE(entry_of({{"n", "1"}}, "1-0"));
  EXPECT_FALSE(entry_of({{"n", "x"}, {"text", "a"}}, "1-0"));
  EXPECT_FALSE(entry_of({{"n", "0"}, {"text", "a"}}, "1-0"));
  EXPECT_FALSE(entry_of({}, "x"));
}

TEST(Entries, ATimeThatIsNoneIsTheIds) {
  for (const char* time : {"", ".", "1", "1.5", "x.000000", "99999999999.000000"}) {
    const auto read = entry_of({{"n", "1"}, {"text", ""}, {"time", time}}, "1000-0");
    ASSERT_TRUE(read) << time;
    EXPECT_EQ(read->time, WallTime(std::chrono::seconds(1))) << time;
  }
}

}  // namespace
}  // namespace netkit::redis
