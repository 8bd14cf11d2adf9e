#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/http/http_text.hpp>
#include <netkit/util/error.hpp>

namespace netkit::http {
namespace {

TEST(CorsOrigin, IsWhatBrowsersSend) {
  for (const auto& [given, sent] : std::vector<std::pair<std::string, std::string>>{
           {"*", "*"},
           {"null", "null"},
           {"http://a.example", "http://a.example"},
           {"HTTPS://A.Example:8443/", "https://a.example:8443"},
           {"http://a.example:80", "http://a.example"},
           {"https://a.example:80", "https://a.example:80"},
           {"https://[::1]:443", "https://[::1]"},
           {"capacitor://localhost", "capacitor://localhost"}}) {
    EXPECT_EQ(checked_origin(given), sent);
  }
}

TEST(CorsOrigin, IsNothingElse) {
  for (const char* text : {"", "a.example", "localhost:3000", "http://", "http://a/b", "http://a,b",
                           "http://a b", "://a", "http://a?b", "http://a\r\nX: y"}) {
    EXPECT_THROW(checked_origin(text), UsageError) << text;
  }
}

TEST(HttpDate, IsThatOfTheStandard) {
  EXPECT_EQ(format_date(WallTime(std::chrono::seconds(784111777)) + std::chrono::milliseconds(999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(ListItem, IsTakenFromTheFront) {
  std::string_view list = "a, b ,\tc";
  EXPECT_EQ(take_list_item(list), "a");
  EXPECT_EQ(take_list_item(list), "b");
  EXPECT_EQ(take_list_item(list), "c");
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace netkit::http
