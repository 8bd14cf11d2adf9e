#include <chat/join_command.hpp>
#include <chat/payload.hpp>
#include <chat/typed_line.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::chat {
namespace {

template <typename What>
What Asked(const TypedLine& line) {
  return std::get<What>(std::get<Request>(line));
}

TEST(TypedLine, SaysWhatIsNoCommand) {
  EXPECT_EQ(Asked<Say>(read_member_line(" hi ")).text, " hi ");
  EXPECT_EQ(Asked<Say>(read_member_line("//x")).text, "/x");
}

TEST(TypedLine, ReadsTheCommandsOfAMember) {
  EXPECT_TRUE(std::holds_alternative<Who>(std::get<Request>(read_member_line("/who"))));
  EXPECT_TRUE(std::holds_alternative<TypedQuit>(read_member_line("/quit")));
  EXPECT_TRUE(std::holds_alternative<TypedHelp>(read_member_line("/help")));
  EXPECT_EQ(Asked<Rename>(read_member_line("/nick  ann b ")).name, "ann b");
  EXPECT_EQ(Asked<Tell>(read_member_line("/msg ann hi there")).text, "ann hi there");
  EXPECT_EQ(std::get<TypedIgnore>(read_member_line("/ignore bob")).name, "bob");
  EXPECT_TRUE(Asked<Say>(read_member_line("/me waves")).action);
}

TEST(TypedLine, SaysHowACommandIsWritten) {
  for (const char* line : {"/msg", "/msg ann", "/me", "/nick", "/nick /x", "/bogus", "/"}) {
    EXPECT_TRUE(std::holds_alternative<TypedMistake>(read_member_line(line))) << line;
  }
}

TEST(TypedLine, KnowsWhatWasMeant) {
  EXPECT_EQ(std::get<TypedMistake>(read_member_line("/nik ann")).why,
            "unknown command '/nik' (start with // to send a /); did you mean '/nick'?");
  EXPECT_EQ(std::get<TypedMistake>(read_member_line("/foo")).why,
            "unknown command '/foo' (start with // to send a /)");
}

TEST(TypedLine, ObeysTwoCommandsFromAPipeInPeerMode) {
  EXPECT_EQ(std::get<TypedTo>(read_peer_line("/to 127.0.0.1:5", false)).address, "127.0.0.1:5");
  EXPECT_TRUE(std::holds_alternative<TypedPeers>(read_peer_line("/peers", false)));
  EXPECT_EQ(Asked<Say>(read_peer_line("/quit", false)).text, "/quit");
  EXPECT_EQ(Asked<Say>(read_peer_line("//to x", false)).text, "/to x");
  EXPECT_TRUE(std::holds_alternative<TypedQuit>(read_peer_line("/quit", true)));
}

TEST(TypedLine, CompletesCommandsFirstAndNamesBehind) {
  const std::vector<std::string> names{"ann", "bob", "bobby"};
  using Found = std::vector<std::string>;
  EXPECT_EQ(complete_line("/w", "/w", member_commands(), names), Found{"/who"});
  EXPECT_EQ(complete_line("/msg bo", "bo", member_commands(), names), (Found{"bob", "bobby"}));
  EXPECT_EQ(complete_line("x", "x", member_commands(), names), Found{});
}

TEST(Name, SaysWhatIsWrong) {
  EXPECT_EQ(why_not_a_name("\xC3\xA5sa B."), "");
  EXPECT_EQ(why_not_a_name(std::string(64, 'x')), "");
  EXPECT_EQ(why_not_a_name(default_name()), "");
  EXPECT_EQ(why_not_a_name(""), "is empty");
  EXPECT_EQ(why_not_a_name(std::string(65, 'x')), "is longer than 64 bytes");
  EXPECT_EQ(why_not_a_name("a\xFF"), "is not UTF-8");
  EXPECT_EQ(why_not_a_name("a\tb"), "contains control characters");
  EXPECT_EQ(why_not_a_name("a\xE2\x80\xAE"), "contains control characters");
  EXPECT_EQ(why_not_a_name(" a"), "begins or ends with white space");
  EXPECT_EQ(why_not_a_name("/who"), "begins with a slash");
  for (const char* name : {"a\xE2\x80\x8B",
                           "a\xC2\xA0"
                           "b",
                           "\xE3\x80\x80"
                           "a",
                           "a\xF3\xA0\x80\x81"}) {
    EXPECT_EQ(why_not_a_name(name), "contains invisible characters or unusual spaces") << name;
  }
  EXPECT_EQ(why_not_a_name("ann  b"), "contains two spaces in a row");
  EXPECT_EQ(why_not_a_name("bob to you"), "looks like a private message");
  EXPECT_EQ(why_not_a_name("ann] hi [bob"), "contains a bracket");
}

}  // namespace
}  // namespace netkit::chat
