#include <memory>
#include <sse/event_routes.hpp>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/http/http1.hpp>
#include <netkit/http/http_routes.hpp>

namespace netkit::sse {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class EventRoutesTest : public testing::Test {
 protected:
  enum class After { keep, close, stream };

  // The answer's bytes are in `answer_`.
  After ask(const std::string& line, const std::string& headers = "",
            const std::vector<std::string>& origins = {}) {
    HttpRequestParser parser;
    const auto progress = parser.feed(line + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n");
    EXPECT_EQ(progress.state, HttpRequestParser::State::done);
    const HttpRequest& request = parser.request();
    EventActions actions{.read = [](const HttpRequest&, HttpAnswer& answer) {
      answer.stream = std::make_unique<HttpStream>();
    }};
    actions.read_token = read_token_;
    actions.write_token = "w";
    if (may_publish_) {
      actions.publish = [](const HttpRequest&) { return HttpAnswer::text(200, "7"); };
    }
    const HttpAnswer answer =
        event_routes({.origins = origins}, "<type>", "events", actions).answer(request);
    HttpFraming framing{.is_head = request.method == "HEAD", .date = WallTime{}};
    framing.is_chunked = answer.stream != nullptr;
    framing.closes = answer.stream != nullptr || !request.keep_alive;
    answer_.clear();
    append_answer(answer_, answer, framing);
    if (!framing.closes) return After::keep;
    return answer.stream && !framing.is_head ? After::stream : After::close;
  }
  std::string answer_;
  std::string read_token_;
  bool may_publish_ = false;
};

TEST_F(EventRoutesTest, GivesTheStream) {
  EXPECT_EQ(ask("GET /events"), After::stream);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer_, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
}

TEST_F(EventRoutesTest, GivesThePageOrTheStreamAtTheRoot) {
  EXPECT_EQ(ask("GET /", "Accept: text/html, */*;q=0.5\r\n"), After::keep);
  EXPECT_THAT(answer_, HasSubstr("Content-Length: "));
  EXPECT_THAT(answer_, EndsWith("</html>\n"));
  EXPECT_EQ(ask("GET /", "Accept: a/b, text/event-stream;q=1\r\n"), After::stream);
}

TEST_F(EventRoutesTest, GivesHeadsWithoutBodies) {
  EXPECT_EQ(ask("HEAD /"), After::keep);
  EXPECT_THAT(answer_, HasSubstr("Content-Length: "));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
  EXPECT_EQ(ask("HEAD /events"), After::close);
  EXPECT_EQ(ask("HEAD /favicon.ico"), After::keep);
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
}

TEST_F(EventRoutesTest, SaysWhatIsWrong) {
  EXPECT_EQ(ask("GET /favicon.ico", "Connection: close\r\n"), After::close);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(ask("DELETE /events"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(answer_, HasSubstr("Allow: GET, HEAD, OPTIONS\r\n"));
}

TEST_F(EventRoutesTest, KnowsNothingByTheNameOfAnAsterisk) {
  EXPECT_EQ(ask("GET *"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_EQ(ask("OPTIONS *"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 204 No Content\r\n"));
}

TEST_F(EventRoutesTest, LetsTheNamedOriginIn) {
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

TEST_F(EventRoutesTest, AnswersAPreflight) {
  EXPECT_EQ(
      ask("OPTIONS /events", "Origin: https://a.example\r\nAccess-Control-Request-Method: GET\r\n",
          {"https://a.example"}),
      After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(answer_,
              HasSubstr("Access-Control-Allow-Headers: Accept, Authorization, Cache-Control, "
                        "Content-Type, Last-Event-ID\r\n"));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n"));
}

TEST_F(EventRoutesTest, LetsInWhoBearsTheToken) {
  read_token_ = "r\xc3\xa4";
  EXPECT_EQ(ask("GET /events", "authorization: bearer  r\xc3\xa4\r\n"), After::stream);
  EXPECT_EQ(ask("GET /events?token=r%c3%A4"), After::stream);
  for (const char* header : {"", "Authorization: Bearer r\r\n", "Authorization: Bearer w\r\n",
                             "Authorization: Basic r\r\n", "Authorization: Bearer\r\n"}) {
    EXPECT_EQ(ask("GET /events", header), After::keep);
    EXPECT_THAT(answer_, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
    EXPECT_THAT(answer_, HasSubstr("WWW-Authenticate: Bearer\r\n"));
  }
  EXPECT_EQ(ask("GET /"), After::keep);
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(EventRoutesTest, TakesEventsFromWhoBearsTheToken) {
  ask("POST /events", "Authorization: Bearer w\r\n");
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 405 "));
  may_publish_ = true;
  ask("POST /events", "Authorization: Bearer w\r\n");
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer_, EndsWith("\r\n\r\n7\n"));
  ask("POST /events?token=w");
  EXPECT_THAT(answer_, StartsWith("HTTP/1.1 401 "));
}

std::string id_of(const std::string& target, const std::string& header = "") {
  HttpRequestParser parser;
  EXPECT_EQ(parser.feed("GET " + target + " HTTP/1.0\r\n" + header + "\r\n").state,
            HttpRequestParser::State::done);
  return last_event_id_of(parser.request());
}

TEST(LastEventId, ComesFromTheHeaderOrTheQuery) {
  EXPECT_EQ(id_of("/"), "");
  EXPECT_EQ(id_of("/", "LAST-EVENT-ID: 7\r\n"), "7");
  EXPECT_EQ(id_of("/?x=1&lastEventId=a%20b+c%zz"), "a b c%zz");
  EXPECT_EQ(id_of("/?lastEventId=8", "Last-Event-ID: 7\r\n"), "7");
  EXPECT_EQ(id_of("/?xlastEventId=8&"), "");
}

}  // namespace
}  // namespace netkit::sse
