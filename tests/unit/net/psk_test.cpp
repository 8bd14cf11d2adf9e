#include "support/refusal.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include <netkit/tls/psk.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

const std::string kKey = "00112233445566778899aabbccddeeff";

template <typename Call>
std::string refusal(Call&& call) {
  const std::string why = test::refusal(call, ExitStatus::config);
  return why.empty() ? "accepted" : why;
}

std::string refusal_of(const std::string& text) {
  return refusal([&] { PskKeys::parse(text, "keys"); });
}

TEST(PskKeys, has_a_key_for_each_identity) {
  const PskKeys keys =
      PskKeys::parse("# the room\n\nann:" + kKey + "\r\n ben of x:y:" + kKey + "00\n", "keys");
  EXPECT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys.find("ann")->bytes().size(), 16U);
  EXPECT_EQ(keys.find("ben of x:y")->bytes().size(), 17U);
}

TEST(PskKeys, says_what_is_wrong_with_a_line_and_never_repeats_a_key) {
  EXPECT_EQ(refusal_of("ann:" + kKey + "\nsecret\n"),
            "the key file 'keys', line 2: write IDENTITY:HEXKEY");
  EXPECT_EQ(refusal_of("ann:open sesame"),
            "the key file 'keys', line 1: the key of 'ann' is not hexadecimal (a password is not a "
            "key); 'netkit psk ann' makes one");
  EXPECT_EQ(refusal_of("ann:00112233"),
            "the key file 'keys', line 1: the key of 'ann' is shorter than 16 bytes; 'netkit psk "
            "ann' makes one");
  EXPECT_EQ(refusal_of("ann:" + std::string(130, '0')),
            "the key file 'keys', line 1: the key of 'ann' is longer than 64 bytes; 'netkit psk "
            "ann' makes one");
  EXPECT_EQ(
      refusal_of("ann:" + kKey + "0"),
      "the key file 'keys', line 1: the key of 'ann' has an odd number of digits; 'netkit psk ann' "
      "makes one");
  EXPECT_EQ(refusal_of("ann:" + kKey + "\nann:" + kKey),
            "the key file 'keys', line 2: 'ann' already has a key");
  EXPECT_EQ(refusal_of(":" + kKey), "the key file 'keys', line 1: the identity is empty");
  EXPECT_EQ(refusal_of("a\x1b:" + kKey),
            "the key file 'keys', line 1: the identity has invisible characters");
  EXPECT_EQ(refusal_of("# none\n"),
            "the key file 'keys' holds no key; 'netkit psk NAME' makes one");
}

TEST(PskKeys, of_a_new_line_can_be_read_and_differ) {
  const std::string line = new_psk_line("ann: of the house");
  const PskKeys keys = PskKeys::parse(line, "keys");
  ASSERT_NE(keys.find("ann: of the house"), nullptr);
  EXPECT_EQ(keys.find("ann: of the house")->bytes().size(), 32U);
  EXPECT_EQ(keys.find("ann"), nullptr);
  EXPECT_NE(line, new_psk_line("ann: of the house"));
}

TEST(PskKeys, are_compared_whole) {
  const PskKey key(std::string(16, 'a'));
  EXPECT_EQ(key, PskKey(std::string(16, 'a')));
  EXPECT_FALSE(key == PskKey(std::string(15, 'a') + "b"));
  EXPECT_FALSE(key == PskKey(std::string(17, 'a')));
}

TEST(PskKeys, are_chosen_by_name_or_because_there_is_no_other) {
  const PskKeys one = PskKeys::parse("ann:" + kKey, "keys");
  EXPECT_EQ(choose_identity(one, "", "keys").name, "ann");
  EXPECT_EQ(choose_identity(one, "ann", "keys").key, *one.find("ann"));
  EXPECT_EQ(refusal([&] { choose_identity(one, "ben", "keys"); }),
            "the key file 'keys' has no key of 'ben', only that of 'ann'");
  const PskKeys two = PskKeys::parse("ann:" + kKey + "\nben:" + kKey, "keys");
  EXPECT_EQ(refusal([&] { choose_identity(two, "", "keys"); }),
            "the key file 'keys' has 2 keys, and a client needs one");
}

class PskFile : public testing::Test {
 protected:
  PskFile() {
    const FileDescriptor file(::mkstemp(path_.data()));
    EXPECT_EQ(write_all(file.get(), new_psk_line("ann") + "\n"), 0);
  }
  ~PskFile() override { std::remove(path_.c_str()); }
  std::string with_mode(mode_t mode) {
    EXPECT_EQ(::chmod(path_.c_str(), mode), 0);
    return refusal([&] { PskKeys::load(path_); });
  }
  std::string path_ = testing::TempDir() + "psk-XXXXXX";
};

TEST_F(PskFile, is_its_owners_alone) {
  EXPECT_EQ(with_mode(0600), "accepted");
  EXPECT_EQ(with_mode(0400), "accepted");
  for (const mode_t mode : {0640U, 0604U, 0644U, 0620U}) {
    EXPECT_EQ(with_mode(mode),
              "others may read the key file '" + path_ + "': run chmod 600 " + path_);
  }
}

TEST_F(PskFile, that_is_a_pipe_nobody_writes_to_is_empty) {
  ASSERT_EQ(std::remove(path_.c_str()), 0);
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(with_mode(0600),
            "the key file '" + path_ + "' holds no key; 'netkit psk NAME' makes one");
}

TEST_F(PskFile, that_is_no_file_is_not_to_get_another_mode) {
  for (const char* path : {"/", "/dev/null"}) {
    EXPECT_EQ(refusal([path] { PskKeys::load(path); }),
              "the key file '" + std::string(path) + "' is not a regular file");
  }
}

TEST_F(PskFile, that_is_not_there_is_said) {
  EXPECT_EQ(refusal([] { PskKeys::load("/nonexistent"); }),
            "cannot read the key file '/nonexistent': no such file or directory");
}

}  // namespace
}  // namespace netkit
