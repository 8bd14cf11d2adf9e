#include <chrono>
#include <sse/cors_origin.hpp>
#include <sse/http_response.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ResponderTest : public testing::Test {
 protected:
  After ask(const std::string& line, const std::string& headers = "",
            const std::vector<std::string>& cors = {}) {
    HttpRequestParser parser;
    const auto progress = parser.feed(line + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    EXPECT_EQ(progress.state, HttpRequestParser::State::done);
    answer_.clear();
    return Responder(cors, "<page>").answer(answer_, parser.request(), WallTime{});
  }
  std::string answer_;
};

TEST_F(ResponderTest, GivesTheStream) {
  EXPECT_EQ(ask("GET /events"), After::stream);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer_, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
}

TEST_F(ResponderTest, GivesThePageOrTheStreamAtTheRoot) {
  EXPECT_EQ(ask("GET /", "Accept: text/html, */*;q=0.5\r\n"), After::keep);
  EXPECT_THAT(answer_, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n<page>"));
  EXPECT_EQ(ask("GET /", "Accept: a/b, text/event-stream;q=1\r\n"), After::stream);
}

TEST_F(ResponderTest, GivesHeadsWithoutBodies) {
  EXPECT_EQ(ask("HEAD /"), After::keep);
  EXPECT_THAT(answer_, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
  EXPECT_EQ(ask("HEAD /events"), After::close);
  EXPECT_EQ(ask("HEAD /favicon.ico"), After::keep);
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
}

TEST_F(ResponderTest, SaysWhatIsWrong) {
  EXPECT_EQ(ask("GET /favicon.ico", "Connection: close\r\n"), After::close);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(ask("DELETE /events"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Allow: GET, HEAD, OPTIONS\r\n"));
}

TEST_F(ResponderTest, KnowsNothingByTheNameOfAnAsterisk) {
  EXPECT_EQ(ask("GET *"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(ask("OPTIONS *"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 204 No Content\r\n"));
}

TEST_F(ResponderTest, RefusesInPlainText) {
  Responder::refuse(answer_, 431, "too many header lines", WallTime{});
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Content-Length: 22\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(answer_, EndsWith("too many header lines\n"));
}

TEST_F(ResponderTest, LetsTheNamedOriginIn) {
  ask("GET /events", "Origin: https://a.example\r\n", {"https://a.example"});
  EXPECT_THAT(answer_, HasSubstr("Access-Control-Allow-Origin: https://a.example\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Vary: Origin\r\n"));
  ask("GET /events", "Origin: https://b.example\r\n", {"https://a.example"});
  EXPECT_THAT(answer_, Not(HasSubstr("Access-Control-Allow-Origin")));
  ask("GET /events", "", {"https://a.example"});
  EXPECT_THAT(answer_, Not(HasSubstr("Access-Control-Allow-Origin")));
  ask("GET /events", "Origin: https://b.example\r\n", {"https://a.example", "https://b.example"});
  EXPECT_THAT(answer_, HasSubstr("Access-Control-Allow-Origin: https://b.example\r\n"));
  ask("GET /events", "", {"*"});
  EXPECT_THAT(answer_, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
}

TEST_F(ResponderTest, AnswersAPreflight) {
  EXPECT_EQ(
      ask("OPTIONS /events", "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n",
          {"https://a.example"}),
      After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(answer_,
              HasSubstr("Access-Control-Allow-Headers: Accept, Cache-Control, Last-Event-ID\r\n"));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
}

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
  std::string out;
  append_http_date(out, WallTime(std::chrono::seconds(784111777)) + std::chrono::milliseconds(999));
  EXPECT_EQ(out, "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace netkit::sse
