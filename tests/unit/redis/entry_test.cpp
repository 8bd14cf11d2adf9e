#include <redis/entry.hpp>
#include <span>
#include <string>
#include <vector>

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
  EXPECT_FALSE(entry_of({{"n", "9007199254740992"}, {"text", "a"}}, "1-0"));
  EXPECT_FALSE(entry_of({}, "x"));
}

TEST(Entries, ATimeThatIsNoneIsTheIds) {
  for (const char* time : {"", ".", "1", "1.5", "x.000000", "99999999999.000000"}) {
    const auto read = entry_of({{"n", "1"}, {"text", ""}, {"time", time}}, "1000-0");
    ASSERT_TRUE(read) << time;
    EXPECT_EQ(read->time, WallTime(std::chrono::seconds(1))) << time;
  }
}

std::vector<std::string> words_of(std::span<const Entry> entries, bool with_last) {
  const Batch batch(entries, with_last);
  return {batch.arguments().begin(), batch.arguments().end()};
}

using Words = std::vector<std::string>;

TEST(Batches, SayHowManyWordsAnEntryHas) {
  const Entry entries[] = {{.text = "hi", .writer = 3, .sequence = 5},
                           {.topic = "a", .text = "ho", .writer = 3, .sequence = 6}};
  EXPECT_EQ(words_of(entries, false),
            (Words{"2", "", "0", "hi", "0.000000", "5", "2", "ho", "0.000000", "6", "topic", "a"}));
}

TEST(Batches, SayOnceHowManyWordsAllEntriesHave) {
  const Entry entries[] = {{.topic = "a", .text = "hi", .sequence = 5},
                           {.topic = "b", .text = "ho", .sequence = 6}};
  EXPECT_EQ(words_of(entries, false), (Words{"2", "2", "hi", "0.000000", "5", "topic", "a", "ho",
                                             "0.000000", "6", "topic", "b"}));
}

TEST(Batches, HaveTheNewestOfEachTopic) {
  const Entry entries[] = {
      {.topic = "a", .text = "1"}, {.topic = "b", .text = "2"}, {.topic = "a", .text = "3"}};
  const Words words = words_of(entries, true);
  ASSERT_EQ(words.size(), 2u + 3 * 5 + 2 * 3);
  EXPECT_EQ(words[17], "3");
  EXPECT_EQ(words[18], "a");
  EXPECT_TRUE(words[19].starts_with("text:1:3,topic:1:a,")) << words[19];
  EXPECT_EQ(words[20], "2");
  EXPECT_EQ(words[21], "b");
}

}  // namespace
}  // namespace netkit::redis
