#include <frame/server_session.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/codec/binary_text.hpp>

namespace netkit::frame {
namespace {

using std::chrono::seconds;
using Expired = ServerSession::Expired;

class ServerSessionTest : public testing::Test {
 protected:
  static TimePoint at(int second) { return TimePoint(seconds(second)); }
  // Hexadecimal in, the answers as hexadecimal out.
  std::string feed(std::string_view hex, int second = 0) {
    ByteBuffer out;
    error_ = session_.on_data(at(second), decode_hex(hex).value(), "2026-11-20 15:12:29", out,
                              [&](const ServerReply& reply) { replies_.push_back(reply.kind); });
    return encode_hex(out.view());
  }

  ServerOptions options_{.idle_timeout = seconds(60)};
  FrameEncoder encoder_{options_.codec};
  ServerSession session_{options_, encoder_, at(0)};
  std::vector<ServerReply::Kind> replies_;
  FrameError error_;
};

TEST_F(ServerSessionTest, AnswersAsTheTableHasIt) {
  EXPECT_EQ(feed("00000034 00" + std::string(102, '6')), "000000020000");
  EXPECT_EQ(feed("00000001 01"), "000000020100");
  EXPECT_EQ(feed("00000001 02"), "000000150200" + encode_hex("2026-11-20 15:12:29"));
  EXPECT_EQ(feed("00000002 00 61"), "0000000200ff");
  EXPECT_EQ(feed("00000002 07 61"), "0000000207ff");
  EXPECT_EQ(feed("00000001 80"), "0000000280ff");
  EXPECT_FALSE(error_);
}

TEST_F(ServerSessionTest, CustomIdsCanBeAccepted) {
  options_.accept_custom = true;
  EXPECT_EQ(feed("00000002 07 61"), "000000020700");
}

TEST_F(ServerSessionTest, ManyFramesInOnePieceAndOneInManyPieces) {
  EXPECT_EQ(feed("0000000101 0000000101 000000"), "000000020100000000020100");
  EXPECT_EQ(feed("01"), "");
  EXPECT_EQ(feed("01"), "000000020100");
}

TEST_F(ServerSessionTest, WhatCameBeforeABadLengthIsAnswered) {
  EXPECT_EQ(feed("0000000101 00000000"), "000000020100");
  EXPECT_EQ(error_.fault, FrameFault::empty);
}

TEST(AnswerRequest, NamesWhoRegisters) {
  const std::string content = std::string(1, '\0') + std::string(36, 'a') + std::string(15, '7');
  const ServerReply reply = answer_request(content, "");
  EXPECT_EQ(reply.kind, ServerReply::Kind::registered);
  EXPECT_EQ(reply.body, std::string(36, 'a') + std::string(15, '7'));
}

TEST_F(ServerSessionTest, AFrameHasItsTimeFromItsFirstByte) {
  feed("0000000101 00", 5);
  feed("00", 9);
  EXPECT_EQ(session_.next_deadline(), at(15));
  EXPECT_EQ(session_.expired(at(14)), Expired::none);
  EXPECT_EQ(session_.expired(at(15)), Expired::frame);
}

TEST_F(ServerSessionTest, TheNextFrameHasItsOwnTime) {
  feed("00", 1);
  feed("00000101 0000", 6);
  EXPECT_EQ(session_.next_deadline(), at(16));
  feed("000101", 8);
  EXPECT_EQ(session_.next_deadline(), at(68));
}

TEST_F(ServerSessionTest, ASilentClientIsIdle) {
  EXPECT_EQ(session_.next_deadline(), at(60));
  EXPECT_EQ(session_.expired(at(60)), Expired::idle);
  options_.idle_timeout = kNever;
  EXPECT_EQ(session_.next_deadline(), TimePoint::max());
}

TEST_F(ServerSessionTest, RecognisesWhoOpensWithAnotherProtocol) {
  feed(encode_hex("G"));
  feed(encode_hex("ET / HTTP/1.1\r\n"));
  EXPECT_EQ(error_.fault, FrameFault::too_long);
  EXPECT_EQ(opening_name(session_.first_bytes().opening()), "HTTP");
}

TEST(RecogniseOpening, ByTheFirstBytes) {
  EXPECT_EQ(recognise_opening("POST /x"), Opening::http);
  EXPECT_EQ(recognise_opening("PRI * HTTP/2.0"), Opening::http);
  EXPECT_EQ(recognise_opening(std::string("\x16\x03\x01\x02\0\x01", 6)), Opening::tls);
  EXPECT_EQ(recognise_opening("SSH-2.0-OpenSSH"), Opening::ssh);
  EXPECT_EQ(recognise_opening("{\"a\":1}"), Opening::json);
  EXPECT_EQ(recognise_opening("{\n  \"a\""), Opening::json);
  for (const char* text : {"{", "{a", "", "G", "GET", "SSH", "GETS", "\x16\x03", "\x17\x03\x03"}) {
    EXPECT_EQ(recognise_opening(text), Opening::unknown) << text;
  }
}

TEST(FirstBytes, AreNamedWhereFramesAreCutByTheirLength) {
  FirstBytes first;
  for (const char* piece : {"HT", "TP", "/1.1"}) first.add(piece);
  EXPECT_EQ(first.explain(CodecSpec::parse("u32"), "why"), "it speaks HTTP, not frames");
  EXPECT_EQ(first.explain(CodecSpec::parse("line"), "why"), "why");
  EXPECT_EQ(FirstBytes().explain(CodecSpec::parse("u32"), "why"), "why");
}

TEST_F(ServerSessionTest, AnIdleClientIsSmall) {
  feed("0000000101 0000");
  EXPECT_LE(session_.memory(), 256U);
}

}  // namespace
}  // namespace netkit::frame
