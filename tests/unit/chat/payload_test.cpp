#include <cctype>
#include <chat/payload.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::chat {
namespace {

template <typename Value>
std::string encoded(const Value& value) {
  std::string out = "what was there before";
  encode(value, out);
  return out;
}

TEST(Payload, ReadsWhatItWrites) {
  const std::vector<FromRoom> messages{Message{Message::kAction, 7, 500, "ann", "waves"},
                                       Message{},
                                       Joined{1, "ann"},
                                       Left{7, LeaveReason::lease, "ann"},
                                       Renamed{7, "ann", "anna"},
                                       Present{"bob"},
                                       Refused{12, "too many"},
                                       Synced{}};
  for (const FromRoom& message : messages) {
    const std::string bytes = encoded(message);
    EXPECT_EQ(decode_from_room(bytes), message);
  }
  const std::vector<Request> requests{
      Say{false, "hi"}, Say{true, "waves"}, Tell{"bob hi"}, Rename{"anna"}, Who{}, Sync{}};
  for (const Request& request : requests) {
    const std::string bytes = encoded(request);
    EXPECT_EQ(decode_request(bytes), request);
  }
}

TEST(Payload, RefusesEveryCutOfWhatHasALength) {
  for (const FromRoom& message : {FromRoom(Joined{1, "ann"}), FromRoom(Renamed{7, "ann", "bob"}),
                                  FromRoom(Left{7, LeaveReason::quit, "ann"})}) {
    const std::string bytes = encoded(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_from_room(std::string_view(bytes).substr(0, size)));
    }
    EXPECT_TRUE(decode_from_room(bytes + "more"));
  }
}

TEST(Payload, RefusesATimeThatNoClockTells) {
  for (const std::uint64_t time_us : {std::uint64_t{0}, kMaxTime}) {
    EXPECT_TRUE(decode_from_room(encoded(FromRoom(Message{0, 7, time_us, "ann", "hi"}))));
  }
  for (const std::uint64_t time_us : {kMaxTime + 1, std::uint64_t{1} << 63U, UINT64_MAX}) {
    EXPECT_FALSE(decode_from_room(encoded(FromRoom(Message{0, 7, time_us, "ann", "hi"}))));
  }
}

TEST(Payload, KeepsDirectionsAndVersionsApart) {
  EXPECT_FALSE(decode_request(encoded(FromRoom(Joined{1, "ann"}))));
  EXPECT_FALSE(decode_from_room(encoded(Request(Say{false, "hi"}))));
  std::string other = encoded(Hello{1, 2, kSinceAll, 4, "ann"});
  EXPECT_TRUE(decode_hello(other));
  other[0] = 2;
  EXPECT_FALSE(decode_hello(other));
}

std::string vector_of_man_page(const std::string& name) {
  std::ifstream page("man/netkit-protocol.7");
  const std::string text{std::istreambuf_iterator<char>(page), std::istreambuf_iterator<char>()};
  std::size_t at = text.find("chat-vector " + name + ":\n");
  if (at == std::string::npos) return {};
  std::string digits;
  for (at = text.find('\n', at); text.compare(at, 3, "\n  ") == 0; at = text.find('\n', at + 1)) {
    for (std::size_t i = at + 1; text[i] != '\n'; ++i) {
      if (std::isxdigit(static_cast<unsigned char>(text[i])) != 0) digits += text[i];
    }
  }
  return digits;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4U];
    out += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

TEST(Payload, IsWhatTheManPageShows) {
  const Hello hello{0x0102030405060708, 0x0A0B0C0D0E0F1011, 3, 2, "ann"};
  EXPECT_EQ(hex(encoded(hello)), vector_of_man_page("hello"));
  const Welcome welcome{0x0A0B0C0D0E0F1011, 7, 3, 2, 1000, "hi"};
  EXPECT_EQ(hex(encoded(welcome)), vector_of_man_page("welcome"));
  EXPECT_EQ(hex(encoded(FromRoom(Message{Message::kAction, 7, 500, "ann", "waves"}))),
            vector_of_man_page("message"));
  EXPECT_EQ(hex(encoded(FromRoom(Left{7, LeaveReason::lease, "ann"}))), vector_of_man_page("left"));
  EXPECT_EQ(hex(encoded(Request(Say{false, "hi"}))), vector_of_man_page("say"));
}

TEST(NormalName, JoinsALetterAndItsAccent) {
  EXPECT_EQ(normal_name("bo\u0301b"), "b\u00f3b");
  EXPECT_EQ(normal_name("ann"), "ann");
  EXPECT_EQ(normal_name("\xff"), "\xff");
  EXPECT_EQ(why_not_a_name("bo\u0301b"), "is not in Unicode normalization form C");
  EXPECT_EQ(why_not_a_name("b\u00f3b"), "");
}

}  // namespace
}  // namespace netkit::chat
