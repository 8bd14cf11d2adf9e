#include <push/control_line.hpp>
#include <string>

#include <gtest/gtest.h>

namespace netkit::push {
namespace {

using Verb = ControlLine::Verb;

TEST(ControlLine, SubscribeHasANameAndAPort) {
  const ControlLine line = parse_control("SUBSCRIBE ann 5000");
  EXPECT_EQ(line.verb, Verb::subscribe);
  EXPECT_EQ(line.name, "ann");
  EXPECT_EQ(line.port, 5000);
}

TEST(ControlLine, ANameMayHoldSpaces) {
  const ControlLine line = parse_control("  subscribe  ann of the hill   65535 \r");
  EXPECT_EQ(line.name, "ann of the hill");
  EXPECT_EQ(line.port, 65535);
  EXPECT_EQ(parse_control("UNSUBSCRIBE ann of the hill").name, "ann of the hill");
}

TEST(ControlLine, APortIsANumberFromOneTo65535) {
  for (const char* port : {"0", "65536", "-1", "5x", "99999999999999999999", "+5"}) {
    const ControlLine line = parse_control("SUBSCRIBE ann " + std::string(port));
    EXPECT_EQ(line.verb, Verb::wrong) << port;
    EXPECT_EQ(line.error, "a UDP port is a number from 1 to 65535") << port;
  }
}

TEST(ControlLine, WhatIsMissingIsSaid) {
  EXPECT_EQ(parse_control("SUBSCRIBE ann").error, "write SUBSCRIBE NAME UDP-PORT");
  EXPECT_EQ(parse_control("UNSUBSCRIBE").error, "write UNSUBSCRIBE NAME");
  EXPECT_EQ(parse_control("SUBSCRIBE " + std::string(300, 'x') + " 1").error,
            "a name has 1 to 255 bytes");
}

TEST(ControlLine, OtherVerbsStandAlone) {
  EXPECT_EQ(parse_control("LIST").verb, Verb::list);
  EXPECT_EQ(parse_control("status").verb, Verb::status);
  EXPECT_EQ(parse_control("Quit").verb, Verb::quit);
  EXPECT_EQ(parse_control("LIST all").verb, Verb::wrong);
  EXPECT_EQ(parse_control("HELLO").verb, Verb::wrong);
  EXPECT_EQ(parse_control(" ").verb, Verb::empty);
}

}  // namespace
}  // namespace netkit::push
