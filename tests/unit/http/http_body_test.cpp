#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <netkit/http/http1.hpp>

namespace netkit {
namespace {

constexpr std::size_t kPiece = 4096;

IpAddress address(std::string_view text) {
  return *IpAddress::parse(text);
}

TEST(HeldBytes, HaveRoomForAFewOfTheLargest) {
  EXPECT_EQ(HeldBytes::room_for(1000), std::size_t{64} << 20U);
  EXPECT_EQ(HeldBytes::room_for(std::size_t{1} << 30U), std::size_t{4} << 30U);
  EXPECT_GE(HeldBytes::room_for(SIZE_MAX), SIZE_MAX - 3);
}

TEST(HeldBytes, HaveABoundTogether) {
  HeldBytes all(4 * kPiece);
  HttpBody one(&all, address("127.0.0.1"));
  HttpBody other(&all, address("127.0.0.1"));
  EXPECT_TRUE(one.append(std::string(3 * kPiece, 'x')));
  EXPECT_TRUE(other.append(std::string(kPiece, 'y')));
  EXPECT_FALSE(other.append(std::string(kPiece, 'y')));
  one.clear();
  EXPECT_EQ(one.text(), "");
  EXPECT_TRUE(other.append(std::string(kPiece, 'y')));
}

TEST(HeldBytes, LeaveRoomForOtherAddresses) {
  HeldBytes all(8 * kPiece);
  HttpBody one(&all, address("192.0.2.1"));
  HttpBody other(&all, address("192.0.2.2"));
  EXPECT_TRUE(one.append(std::string(6 * kPiece, 'x')));
  EXPECT_FALSE(one.append(std::string(kPiece, 'x')));
  EXPECT_TRUE(other.append(std::string(kPiece, 'y')));
}

TEST(HeldBytes, GetBackWhatADestroyedOneHad) {
  HeldBytes all(kPiece);
  const std::string piece(kPiece, 'x');
  EXPECT_TRUE(std::make_unique<HttpBody>(&all, address("127.0.0.1"))->append(piece));
  HttpBody other(&all, address("127.0.0.1"));
  EXPECT_TRUE(other.append(piece));
}

TEST(HeldBytes, RefuseARequestThatFindsNoRoom) {
  HeldBytes all(2 * kPiece);
  HttpLimits limits;
  limits.max_body = 8 * kPiece;
  limits.bodies = &all;
  const std::string body(3 * kPiece, 'x');
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12288\r\n\r\n" + body;
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3000\r\n" + body;
  for (const std::string& request : {post, chunked}) {
    HttpRequestParser parser(limits);
    EXPECT_EQ(parser.feed(request).state, HttpRequestParser::State::failed);
    EXPECT_EQ(parser.status(), 503);
    EXPECT_EQ(parser.reason(), kNoRoomForBodies);
  }
  HttpRequestParser parser(limits);
  EXPECT_EQ(parser.feed("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi").state,
            HttpRequestParser::State::done);
  EXPECT_EQ(parser.request().body, "hi");
}

}  // namespace
}  // namespace netkit
