#include "io/terminal.hpp"

#include <clocale>
#include <string>

#include <gtest/gtest.h>

namespace netkit {
namespace {

class WrappedRows : public testing::Test {
 protected:
  WrappedRows() { std::setlocale(LC_CTYPE, "C.UTF-8"); }
  ~WrappedRows() override { std::setlocale(LC_CTYPE, "C"); }
};

TEST_F(WrappedRows, CountsFullRows) {
  EXPECT_EQ(wrapped_rows("", 10), 0);
  EXPECT_EQ(wrapped_rows("> 1234567", 10), 0);
  EXPECT_EQ(wrapped_rows("> 12345678", 10), 1);
  EXPECT_EQ(wrapped_rows("> 123456789", 10), 1);
  EXPECT_EQ(wrapped_rows(std::string(35, 'x'), 10), 3);
}

TEST_F(WrappedRows, MovesAWideCharacterThatDoesNotFit) {
  EXPECT_EQ(wrapped_rows("日本語テ", 9), 0);
  EXPECT_EQ(wrapped_rows("日本語テキ", 9), 1);
  EXPECT_EQ(wrapped_rows("日本語テキスト日", 9), 1);
  EXPECT_EQ(wrapped_rows("日本語テキスト日本", 9), 2);  // 18 columns, and one left over in each row
}

TEST_F(WrappedRows, KnowsWhatTakesMoreOrLessThanAColumn) {
  EXPECT_EQ(wrapped_rows("e\u0301e\u0301e\u0301e\u0301", 5), 0);
  EXPECT_EQ(wrapped_rows("1\t2", 8), 1);
  EXPECT_EQ(wrapped_rows("\x01\x02\x03", 5), 1);
  EXPECT_EQ(wrapped_rows("\xff\xff\xff", 3), 1);
  EXPECT_EQ(wrapped_rows(std::string_view("\0\0", 2), 2), 2);
}

}  // namespace
}  // namespace netkit
