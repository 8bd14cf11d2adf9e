#include <push/roster_line.hpp>
#include <string>

#include <gtest/gtest.h>

#include <netkit/util/text.hpp>

namespace netkit::push {
namespace {

RosterRow row(std::string_view name) {
  return {.name = name,
          .address = *Endpoint::parse("[::1]:5000"),
          .plain = true,
          .age = std::chrono::milliseconds(1500),
          .sent = 7,
          .lost = 2,
          .lag = 1};
}

TEST(RosterLine, ListIsNameAndAddress) {
  std::string line;
  append_list_row(line, row("ann b"));
  EXPECT_EQ(line, "ann b [::1]:5000\n");
}

TEST(RosterLine, ANameCannotMakeLinesOfItsOwn) {
  std::string line;
  append_list_row(line, row("a\nb\x1b"));
  EXPECT_EQ(line, "a\\x0ab\\x1b [::1]:5000\n");
}

TEST(RosterLine, StatusComesBackAsItWas) {
  std::string line;
  append_status_row(line, row("ann b"));
  EXPECT_EQ(line, "[::1]:5000 plain 1.500 7 2 1 ann b\n");
  line.pop_back();
  const auto read = parse_status_row(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, "ann b");
  EXPECT_EQ(read->address, "[::1]:5000");
  EXPECT_DOUBLE_EQ(read->age_s, 1.5);
  EXPECT_EQ(read->sent + read->lost + read->lag, 10u);
}

TEST(RosterLine, StatusHasTheNameItselfWhateverItHolds) {
  for (const std::string name :
       {"a\x1b[2J", "a\nb", R"(C:\dir\x5c\)", R"(\x1b)", "bad\xff", "\u202e-", "\\"}) {
    std::string line;
    append_status_row(line, row(name));
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_TRUE(is_shown_unchanged(line, true)) << line;
    line.pop_back();
    const auto read = parse_status_row(line);
    ASSERT_TRUE(read) << line;
    EXPECT_EQ(read->name, name);
  }
}

TEST(RosterLine, WhatIsNoEscapeIsKept) {
  const auto read = parse_status_row(R"([::1]:5000 plain 1 7 2 1 \x \xg1 \x1 \y\x41 \x4)");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->name, R"(\x \xg1 \x1 \yA \x4)");
}

TEST(RosterLine, AnythingElseIsNotAStatusRow) {
  for (const char* line : {"", "a b c d e f g", "a plain 1 2 3 4", "a plain 1 2 3 -4 x",
                           "a plain  2 3 4 5 x", "a plain 1 2 3 4 "}) {
    EXPECT_FALSE(parse_status_row(line)) << line;
  }
}

}  // namespace
}  // namespace netkit::push
