#include <chrono>
#include <string>
#include <unistd.h>
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

TEST(NormalPath, IsTheSameHoweverItWasEscaped) {
  for (const auto& [given, normal] :
       std::vector<std::pair<std::string, std::string>>{{"/", "/"},
                                                        {"/a%2fb%7E%41", "/a%2Fb~A"},
                                                        {"/%c3%a9", "/%C3%A9"},
                                                        {"/%", "/%"},
                                                        {"/%4", "/%4"},
                                                        {"/%zz%00", "/%zz%00"}}) {
    EXPECT_EQ(normal_path(given), normal);
  }
}

TEST(HttpDate, IsThatOfTheStandard) {
  EXPECT_EQ(format_date(WallTime(std::chrono::seconds(784111777)) + std::chrono::milliseconds(999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(OwnHosts, AreWhatNoForeignPageIsCalled) {
  const auto is_own = own_hosts({"Stream.Example", ""});
  for (const char* host :
       {"", "127.0.0.1", "127.0.0.1:8000", "[::1]", "[::1]:8000", "localhost", "LOCALHOST:80",
        "a.localhost:80", "x", "my-host_1:8000", "stream.example", "STREAM.example.:8000"}) {
    EXPECT_TRUE(is_own(host)) << host;
  }
  for (const char* host :
       {"attacker.example", "attacker.example:8000", "127.0.0.1.attacker.example",
        "localhost.attacker.example", "stream.example.attacker.example", "\xff\xfe",
        "127.0.0.1@a.b", "1.2.3", "[::1", "a b", "..", "[x.y]"}) {
    EXPECT_FALSE(is_own(host)) << host;
  }
}

TEST(OwnHosts, HaveTheNameOfThisMachine) {
  std::string name(256, '\0');
  ASSERT_EQ(::gethostname(name.data(), name.size()), 0);
  name.resize(name.find('\0'));
  EXPECT_TRUE(own_hosts({})(name));
  EXPECT_TRUE(own_hosts({})(name + ".local:9100"));
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
