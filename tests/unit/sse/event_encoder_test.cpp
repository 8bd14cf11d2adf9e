#include <chrono>
#include <sse/event_stream.hpp>
#include <string>
#include <unit/sse/step_recorder.hpp>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

using namespace std::string_literals;
using Steps = std::vector<std::string>;

std::string encoded(const OutgoingEvent& event) {
  std::string out;
  append_event(out, event);
  return out;
}

Steps read_back(const OutgoingEvent& event) {
  StepRecorder sink;
  EventParser parser(1 << 16);
  parser.feed(encoded(event), sink);
  return sink.steps;
}

TEST(EventEncoder, WritesIdTypeAndData) {
  EXPECT_EQ(encoded({"7", "add", "hello"}), "id: 7\nevent: add\ndata: hello\n\n");
}

TEST(EventEncoder, LeavesOutWhatReadersAssume) {
  EXPECT_EQ(encoded({"", "message", "hello"}), "data: hello\n\n");
}

TEST(EventEncoder, AnEmptyPayloadIsAnEvent) {
  EXPECT_EQ(read_back({"", "", ""}), Steps{"event message||"});
}

TEST(EventEncoder, EveryKindOfLineEndBecomesADataLine) {
  EXPECT_EQ(encoded({"", "", "a\nb\rc\r\nd"}), "data: a\ndata: b\ndata: c\ndata: d\n\n");
}

TEST(EventEncoder, KeepsEmptyLinesAndALineEndAtTheEnd) {
  EXPECT_EQ(read_back({"", "", "\n\na\n\nb\n"}), Steps{"event message|\n\na\n\nb\n|"});
}

TEST(EventEncoder, KeepsSpacesAndColonsAtTheFront) {
  EXPECT_EQ(read_back({"", "", "  a"}), Steps{"event message|  a|"});
  EXPECT_EQ(read_back({"", "", ":a"}), Steps{"event message|:a|"});
}

TEST(EventEncoder, NothingInAPayloadBecomesAField) {
  EXPECT_EQ(read_back({"1", "", "x\rid: 9\nretry: 0\r\n\r\nevent: y"}),
            Steps{"event message|x\nid: 9\nretry: 0\n\nevent: y|1"});
}

TEST(EventEncoder, NothingInATypeBecomesAField) {
  EXPECT_EQ(read_back({"1", "a\nid: 9\r\nretry: 0", "x"}), Steps{"event a id: 9  retry: 0|x|1"});
}

TEST(EventEncoder, LeavesOutAnIdThatCannotBeWritten) {
  EXPECT_EQ(encoded({"1\ndata: x", "", "a"}), "data: a\n\n");
  EXPECT_EQ(encoded({"1\0"s, "", "a"}), "data: a\n\n");
}

TEST(EventEncoder, WritesCommentsOfOneLine) {
  std::string out;
  append_comment(out, "alive\ndata: x");
  EXPECT_EQ(out, ": alive data: x\n\n");
}

TEST(EventEncoder, WritesTheReconnectionTimeInMilliseconds) {
  std::string out;
  append_retry(out, std::chrono::microseconds(1500999));
  EXPECT_EQ(out, "retry: 1500\n\n");
}

}  // namespace
}  // namespace netkit::sse
