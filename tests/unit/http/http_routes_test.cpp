#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/http/http1.hpp>
#include <netkit/http/http_routes.hpp>

namespace netkit {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

HttpRequest request(std::string_view method, std::string_view path) {
  HttpRequest made;
  made.method = method;
  made.path = path;
  made.headers = {{"Host", "a.example"}};
  return made;
}

HttpRoutes::Route says(std::string_view what) {
  return [what](const HttpRequest&) { return HttpAnswer::text(200, what); };
}

HttpRoutes some_routes(HttpRoutes::Options options = {}) {
  HttpRoutes routes(std::move(options));
  routes.add("/one", says("one"));
  routes.add("POST", "/one", says("posted"));
  routes.add("/many/*", says("many"));
  return routes;
}

TEST(HttpRoutes, FindTheFirstThatFits) {
  const HttpRoutes routes = some_routes();
  EXPECT_EQ(routes.answer(request("GET", "/one")).body, "one\n");
  EXPECT_EQ(routes.answer(request("HEAD", "/one")).body, "one\n");
  EXPECT_EQ(routes.answer(request("POST", "/one")).body, "posted\n");
  EXPECT_EQ(routes.answer(request("GET", "/many/")).body, "many\n");
  EXPECT_EQ(routes.answer(request("GET", "/many/x")).body, "many\n");
}

TEST(HttpRoutes, KnowWhatTheyLack) {
  const HttpRoutes routes = some_routes();
  EXPECT_EQ(routes.answer(request("GET", "/one/x")).status, 404);
  EXPECT_EQ(routes.answer(request("GET", "/many")).status, 404);
  EXPECT_EQ(routes.answer(request("GET", "*")).status, 400);
  const HttpAnswer refused = routes.answer(request("DELETE", "/one"));
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.body, "only GET, HEAD, POST and OPTIONS are supported here\n");
  EXPECT_THAT(refused.headers, HasSubstr("Allow: GET, HEAD, POST, OPTIONS\r\n"));
}

TEST(HttpRoutes, SayWhatTheyHave) {
  EXPECT_EQ(some_routes().answer(request("OPTIONS", "/many/x")).headers,
            "Allow: GET, HEAD, OPTIONS\r\n");
  EXPECT_EQ(some_routes().answer(request("OPTIONS", "*")).headers,
            "Allow: GET, HEAD, POST, OPTIONS\r\n");
}

TEST(HttpRoutes, AnswerOnlyToNamesOfTheServer) {
  const HttpRoutes routes =
      some_routes({.permits_host = [](std::string_view host) { return host == "b.example"; }});
  EXPECT_EQ(routes.answer(request("GET", "/one")).status, 421);
  HttpRequest right = request("GET", "/one");
  right.headers = {{"Host", "b.example"}};
  EXPECT_EQ(routes.answer(right).status, 200);
}

TEST(HttpRoutes, ShareOnlyWhatIsShared) {
  HttpRoutes routes = some_routes({.origins = {"*"}});
  routes.add("/shared", [](const HttpRequest&) { return HttpAnswer{.is_shared = true}; });
  EXPECT_EQ(routes.answer(request("GET", "/shared")).headers, "Access-Control-Allow-Origin: *\r\n");
  EXPECT_THAT(routes.answer(request("GET", "/one")).headers, Not(HasSubstr("Access-Control")));
}

TEST(HttpRoutes, LetTheLoginsOfNamedOriginsIn) {
  HttpRoutes routes = some_routes({.origins = {"http://b.example"}, .credentials = true});
  routes.add("/shared", [](const HttpRequest&) { return HttpAnswer{.is_shared = true}; });
  HttpRequest asked = request("GET", "/shared");
  EXPECT_EQ(routes.answer(asked).headers, "Vary: Origin\r\n");
  asked.headers.push_back({"Origin", "http://b.example"});
  EXPECT_THAT(routes.answer(asked).headers,
              HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
}

std::string written(const HttpAnswer& answer, const HttpFraming& framing) {
  std::string out;
  append_answer(out, answer, framing);
  return out;
}

TEST(HttpAnswer, IsRefusedInPlainText) {
  const std::string out = written(HttpAnswer::text(431, "too many header lines"), {.closes = true});
  EXPECT_THAT(out, StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
  EXPECT_THAT(out, HasSubstr("Content-Length: 22\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(out, EndsWith("too many header lines\n"));
}

TEST(HttpAnswer, HasTheHeadOfItsBodyWithoutTheBody) {
  EXPECT_EQ(written({.type = "a/b", .body = "12345"}, {.is_head = true}),
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(written({.type = "a/b"}, {.date = WallTime{}}),
            "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: a/b\r\n"
            "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(written({.status = 204}, {}), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST(HttpAnswer, MayBeginAStream) {
  HttpAnswer answer{.type = "a/b", .body = "12345678901234567"};
  answer.stream = std::make_unique<HttpStream>();
  EXPECT_EQ(written(answer, {.is_chunked = true, .closes = true}),
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n11\r\n12345678901234567\r\n");
  EXPECT_EQ(written(answer, {.closes = true}),
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nConnection: close\r\n\r\n"
            "12345678901234567");
}

TEST(HttpChunk, IsEncodedOnceForAll) {
  const HttpChunk chunk("hello");
  EXPECT_EQ(*chunk.encoded(), "5\r\nhello\r\n");
  EXPECT_EQ(chunk.body(), "hello");
  const HttpChunk copy = chunk;
  EXPECT_EQ(copy.encoded(), chunk.encoded());
}

}  // namespace
}  // namespace netkit
