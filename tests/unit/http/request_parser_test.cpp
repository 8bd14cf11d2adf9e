#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <netkit/http/http1.hpp>

namespace netkit {
namespace {

using State = HttpRequestParser::State;

// One line that says all about what a parser made of an input.
std::string outcome(const HttpRequestParser& parser, State state) {
  if (state == State::more) return "more";
  if (state == State::failed) return std::to_string(parser.status());
  const HttpRequest& request = parser.request();
  std::string text = std::string(request.method) + " " + std::string(request.path) + " " +
                     std::string(request.query) + (request.keep_alive ? " keep" : " close");
  for (const HttpHeader& header : request.headers) {
    text += "|" + std::string(header.name) + "=" + std::string(header.value);
  }
  return text;
}

std::string parsed_in_pieces(std::string_view input, std::size_t cut, const HttpLimits& limits) {
  HttpRequestParser parser(limits);
  auto progress = parser.feed(input.substr(0, cut));
  if (progress.state == State::more) progress = parser.feed(input.substr(cut));
  return outcome(parser, progress.state);
}

// Parses at once, and expects the same of every cut.
std::string parsed(std::string_view input, const HttpLimits& limits = {}) {
  std::string whole = parsed_in_pieces(input, input.size(), limits);
  for (std::size_t cut = 0; cut < input.size(); ++cut) {
    EXPECT_EQ(parsed_in_pieces(input, cut, limits), whole) << "cut at " << cut;
  }
  return whole;
}

TEST(HttpRequest, IsReadWithItsHeaders) {
  EXPECT_EQ(parsed("GET /events?a=b HTTP/1.1\r\nHost: x\r\nAccept:\ttext/event-stream \r\n\r\n"),
            "GET /events a=b keep|Host=x|Accept=text/event-stream");
}

TEST(HttpRequest, MayEndItsLinesWithLfAndBeginWithEmptyOnes) {
  EXPECT_EQ(parsed("\r\n\nGET / HTTP/1.1\nHost: x\n\n"), "GET /  keep|Host=x");
}

TEST(HttpRequest, KeepsTheConnectionByVersionAndHeader) {
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\n\r\n"), "GET /  close");
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
            "GET /  keep|Connection=Keep-Alive");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost:\r\nconnection: x, CLOSE\r\n\r\n"),
            "GET /  close|Host=|connection=x, CLOSE");
}

TEST(HttpRequest, ABodyEndsTheConnection) {
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"),
            "POST /  close|Host=x|Content-Length=3");
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
            "POST /  close|Host=x|Transfer-Encoding=chunked");
  EXPECT_EQ(parsed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"),
            "POST /  keep|Host=x|Content-Length=0");
}

TEST(HttpRequest, TakesAbsoluteTargetsAndTheAsterisk) {
  EXPECT_EQ(parsed("GET http://a:1/b?c HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /b c keep|Host=a");
  EXPECT_EQ(parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), "OPTIONS *  keep|Host=a");
}

TEST(HttpRequest, RefusesWhatIsNone) {
  EXPECT_EQ(parsed("hello\r\n"), "400");
  EXPECT_EQ(parsed("GET /\r\n"), "400");
  EXPECT_EQ(parsed("GET  / HTTP/1.1\r\n"), "400");
  EXPECT_EQ(parsed("G{T / HTTP/1.1\r\n"), "400");
  EXPECT_EQ(parsed("GET nowhere HTTP/1.1\r\n"), "400");
  EXPECT_EQ(parsed("GET /\x01 HTTP/1.1\r\n"), "400");
  EXPECT_EQ(parsed("GET / HTTP/11\r\n"), "400");
  EXPECT_EQ(parsed("GET / http/1.1\r\n"), "400");
  EXPECT_EQ(parsed("GET / HTTP/2.0\r\n"), "505");
}

TEST(HttpRequest, RefusesMalformedHeaders) {
  const std::string line = "GET / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(parsed(line + "no colon\r\n"), "400");
  EXPECT_EQ(parsed(line + "Name : x\r\n"), "400");
  EXPECT_EQ(parsed(line + ": x\r\n"), "400");
  EXPECT_EQ(parsed(line + "A: b\r\n folded\r\n"), "400");
  EXPECT_EQ(parsed(line + "A: b\rc\r\n"), "400");
  EXPECT_EQ(parsed(line + "A: \x7f\r\n"), "400");
  EXPECT_EQ(parsed(line + "A: \xC3\xA4\r\n\r\n"), "GET /  keep|Host=x|A=\xC3\xA4");
}

TEST(HttpRequest, NeedsOneHost) {
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\n\r\n"), "400");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"), "400");
}

TEST(HttpRequest, SaysInOneWayHowLongItsBodyIs) {
  const auto with = [](const std::string& headers) {
    const std::string outcome = parsed("POST / HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n");
    return outcome.substr(0, outcome.find('|'));
  };
  EXPECT_EQ(with("Content-Length: 0\r\n"), "POST /  keep");
  EXPECT_EQ(with("Content-Length: 4\r\nContent-Length: 4\r\n"), "POST /  close");
  EXPECT_EQ(with("Transfer-Encoding: Chunked\r\n"), "POST /  close");
  for (const char* wrong :
       {"Content-Length: 4\r\nContent-Length: 5\r\n", "Content-Length: 4, 5\r\n",
        "Content-Length: -1\r\n", "Content-Length: +1\r\n", "Content-Length: 0x4\r\n",
        "Content-Length: 18446744073709551616\r\n", "Content-Length: \r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"}) {
    EXPECT_EQ(with(wrong), "400") << wrong;
  }
  EXPECT_EQ(with("Transfer-Encoding: gzip\r\n"), "501");
  EXPECT_EQ(with("Transfer-Encoding: chunked, chunked\r\n"), "501");
  EXPECT_EQ(parsed("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), "400");
}

// The method and the body, or the status; however the input is cut.
std::string body_of(std::string_view input) {
  const HttpLimits limits{.max_body = 10};
  std::string whole;
  for (std::size_t piece = input.size(); piece > 0; --piece) {
    HttpRequestParser parser(limits);
    std::string outcome = "more";
    for (std::size_t at = 0; at < input.size() && outcome == "more"; at += piece) {
      const auto progress = parser.feed(input.substr(at, piece));
      if (progress.state == State::failed) outcome = std::to_string(parser.status());
      if (progress.state == State::done) outcome = std::string(parser.request().body);
    }
    if (whole.empty()) whole = outcome;
    EXPECT_EQ(outcome, whole) << piece;
  }
  return whole;
}

TEST(HttpRequest, MayHaveABody) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(body_of(head + "Content-Length: 4\r\n\r\nbody"), "body");
  EXPECT_EQ(body_of(head + "Content-Length: 4\r\n\r\nbod"), "more");
  EXPECT_EQ(body_of(head + "Content-Length: 11\r\n\r\n"), "413");
  EXPECT_EQ(body_of(head + "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nbo\r\n2\r\ndy\r\n0\r\n"
                           "X: y\r\n\r\n"),
            "body");
  EXPECT_EQ(body_of(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n0\r\n"), "more");
  EXPECT_EQ(body_of(head + "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901"), "413");
  for (const char* wrong : {"x\r\n", "\r\n", "-1\r\n", "2\r\nbodx", "11111111111111111\r\n", "2\n",
                            "2;x\n", "2\rbo", "2;\rx", "2\r\nbo\n", "2\r\nbo\r\r\n"}) {
    EXPECT_EQ(body_of(head + "Transfer-Encoding: chunked\r\n\r\n" + wrong), "400") << wrong;
  }
}

TEST(HttpRequest, ThatFollowsABodyIsAnotherOne) {
  HttpRequestParser parser({.max_body = 10});
  const std::string_view input =
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: "
      "a\r\n\r\n";
  const auto first = parser.feed(input);
  EXPECT_EQ(parser.request().body, "hi");
  EXPECT_TRUE(parser.request().keep_alive);
  EXPECT_EQ(parser.feed(input.substr(first.consumed)).state, State::done);
  EXPECT_EQ(parser.request().path, "/b");
  EXPECT_EQ(parser.request().body, "");
}

TEST(HttpRequest, HasLimits) {
  const HttpLimits limits{.max_line = 40, .max_headers = 2, .max_head = 70};
  EXPECT_EQ(parsed("GET /" + std::string(26, 'x') + " HTTP/1.0\r\n", limits), "more");
  EXPECT_EQ(parsed("GET /" + std::string(27, 'x') + " HTTP/1.0\r\n", limits), "414");
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\nA: " + std::string(38, 'x'), limits), "431");
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\nA: b\r\nA: b\r\nA: b\r\n", limits), "431");
  EXPECT_EQ(
      parsed("GET / HTTP/1.0\r\nA: " + std::string(30, 'x') + "\r\nA: " + std::string(30, 'x'),
             limits),
      "431");
  EXPECT_EQ(parsed(std::string(70, '\n'), limits), "more");
  EXPECT_EQ(parsed(std::string(71, '\n'), limits), "414");
}

TEST(HttpRequest, HoldsNoMoreThanTheLimitOfAnEndlessLine) {
  HttpRequestParser parser;
  EXPECT_EQ(parser.feed(std::string(1 << 20, 'x')).state, State::failed);
  EXPECT_EQ(parser.status(), 414);
}

TEST(HttpRequest, SeveralMayComeTogether) {
  HttpRequestParser parser;
  const std::string input = "GET /a HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\n\r\n";
  const auto first = parser.feed(input);
  EXPECT_EQ(outcome(parser, first.state), "GET /a  close");
  EXPECT_TRUE(parser.idle());
  const auto second = parser.feed(std::string_view(input).substr(first.consumed));
  EXPECT_EQ(outcome(parser, second.state), "GET /b  close");
  EXPECT_EQ(first.consumed + second.consumed, input.size());
}

TEST(HttpRequest, ThatHasNoMethodIsNoneBeforeItsLineIsTooLong) {
  const HttpLimits limits{.max_method = 7};
  EXPECT_EQ(parsed("OPTIONS", limits), "more");
  EXPECT_EQ(parsed("OPTIONS * HTTP/1.0\r\n\r\n", limits), "OPTIONS *  close");
  EXPECT_EQ(parsed("PROPFIND", limits), "400");
}

TEST(HttpRequest, MayDoWithoutAHostWhereNobodyNeedsIt) {
  const HttpLimits limits{.host_is_needed = false};
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\n\r\n", limits), "GET /  keep");
  EXPECT_EQ(parsed("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", limits), "400");
}

// Calls `check` with the request that `text` is.
template <typename Check>
void with_request(std::string_view text, Check&& check) {
  HttpRequestParser parser;
  ASSERT_EQ(parser.feed(text).state, State::done);
  check(parser.request());
}

TEST(HttpRequest, HasParametersInItsQuery) {
  with_request("GET /?x=1&id=a%20b+c%zz&id=2&empty=&xid=3 HTTP/1.0\r\n\r\n",
               [](const HttpRequest& request) {
                 EXPECT_EQ(request.parameter("id"), "a b c%zz");
                 EXPECT_EQ(request.parameter("x"), "1");
                 EXPECT_EQ(request.parameter("empty"), "");
                 EXPECT_EQ(request.parameter("i"), std::nullopt);
               });
}

TEST(HttpRequest, SaysWhichMediaTypesItAccepts) {
  with_request("GET / HTTP/1.0\r\nAccept: a/b;q=1 ,\tText/Event-Stream; q=0.5, */*\r\n\r\n",
               [](const HttpRequest& request) {
                 EXPECT_TRUE(request.accepts("text/event-stream"));
                 EXPECT_TRUE(request.accepts("a/b"));
                 EXPECT_FALSE(request.accepts("text/html"));
               });
}

}  // namespace
}  // namespace netkit
