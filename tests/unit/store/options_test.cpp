#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/store/options.hpp>
#include <netkit/store/packed.hpp>
#include <netkit/util/error.hpp>

namespace netkit::store {
namespace {

TEST(Fields, AreReadAsTheyWereWritten) {
  const std::vector<Field> fields{{"name", "a:1,b"}, {"empty", ""}, {"odd", std::string("\0,", 2)}};
  EXPECT_EQ(unpack(pack(fields)), fields);
  EXPECT_EQ(pack(std::vector<Field>{{"name", "ann"}}), "name:3:ann,");
}

TEST(Fields, WhatIsCutShortIsLeftOut) {
  const std::string whole = pack(std::vector<Field>{{"a", "1"}, {"b", "22"}});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_LE(unpack(whole.substr(0, size)).size(), 1u);
  }
  EXPECT_TRUE(unpack("a:18446744073709551615:x,").empty());
}

TEST(Places, TheLastPartOfThePathIsTheStream) {
  const Place place = read_place("sqlite:/var/lib/x.db/chat", "--from");
  EXPECT_EQ(place.url, "sqlite:/var/lib/x.db");
  EXPECT_EQ(place.stream, "chat");
  EXPECT_EQ(place.since, 0u);
}

TEST(Places, SinceIsNotTheStores) {
  const Place place = read_place("redis://a:1,b:2/x/push?sentinel=m&since=7", "--from");
  EXPECT_EQ(place.url, "redis://a:1,b:2/x?sentinel=m");
  EXPECT_EQ(place.stream, "push");
  EXPECT_EQ(place.since, 7u);
  EXPECT_EQ(read_place("sqlite:a/chat?since=all", "--from").since, 1u);
}

TEST(Places, WhatIsNoneIsRefused) {
  for (const char* text : {"sqlite:x.db", "sqlite:x/", "x/y", "sqlite:a/chat?since=0",
                           "sqlite:a/chat?since=soon", "redis://u:secret@h/p/chat"}) {
    EXPECT_THROW(read_place(text, "--from"), UsageError) << text;
  }
}

}  // namespace
}  // namespace netkit::store
