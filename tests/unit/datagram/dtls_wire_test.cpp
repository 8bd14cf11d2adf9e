#include "datagram/dtls_wire.hpp"

#include "datagram/dtls_records.hpp"
#include "support/page_vectors.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

DtlsSecret secret(unsigned char seed) {
  DtlsSecret made;
  made.key.fill(seed);
  made.iv.fill(static_cast<unsigned char>(seed + 1));
  return made;
}

class DtlsRecordsTest : public testing::Test {
 protected:
  std::string seal(std::string_view head, std::string_view body = {}) {
    std::string out(head.size() + body.size() + DtlsRecords::kOverhead, '\0');
    writer_.seal(RecordType::application_data, head, body, out.data());
    return out;
  }
  // The content; "!" of what is not taken.
  std::string open(std::string_view datagram) {
    const auto record = take_record(datagram);
    std::string content;
    return record && reader_.open(*record, content) ? content : "!";
  }
  DtlsRecords writer_{secret(1), secret(3)};
  DtlsRecords reader_{secret(3), secret(1)};
};

TEST_F(DtlsRecordsTest, carry_head_and_body) {
  EXPECT_EQ(open(seal("head ", "body")), "head body");
  EXPECT_EQ(open(seal("")), "");
  EXPECT_EQ(open(seal(std::string(1171, 'x'))), std::string(1171, 'x'));
}

TEST_F(DtlsRecordsTest, are_taken_once_and_in_any_order) {
  std::vector<std::string> records;
  for (int i = 0; i < 1000; ++i) records.push_back(seal(std::to_string(i)));
  std::ranges::reverse(records);
  for (const std::string& record : records) ASSERT_NE(open(record), "!");
  for (const std::string& record : records) ASSERT_EQ(open(record), "!");
}

TEST_F(DtlsRecordsTest, that_are_too_old_are_not_taken) {
  const std::string old = seal("old");
  for (int i = 0; i < 4096; ++i) ASSERT_EQ(open(seal("new")), "new");
  EXPECT_EQ(open(old), "!");
}

TEST_F(DtlsRecordsTest, that_were_changed_anywhere_are_not_taken) {
  const std::string good = seal("head", "body");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_EQ(open(bad), "!") << at;
  }
  EXPECT_EQ(open(good), "headbody");
}

TEST_F(DtlsRecordsTest, use_no_number_twice) {
  DtlsRecords last(secret(1), secret(3), (std::uint64_t{1} << 48) - 1);
  EXPECT_FALSE(last.exhausted());
  std::string out(5 + DtlsRecords::kOverhead, '\0');
  last.seal(RecordType::application_data, "hello", {}, out.data());
  EXPECT_EQ(open(out), "hello");
  EXPECT_TRUE(last.exhausted());
}

// The record was made by Python's cryptography from RFC 7905 and RFC 6347.
TEST_F(DtlsRecordsTest, are_those_of_the_page) {
  std::string cookie;
  for (char byte = 0x20; byte <= 0x33; ++byte) cookie += byte;
  std::map<std::string, std::string> made{{"record", test::hex(seal("hel", "lo"))}};
  std::string out;
  encode_hello_verify(cookie, 7, out);
  made["verify"] = test::hex(out);
  encode_alert(Alert::unknown_psk_identity, 3, out);
  made["alert"] = test::hex(out);
  EXPECT_EQ(made, test::page_vectors("private-vector"));
}

const std::string kHello = [] {
  std::string body("\xfe\xfd", 2);
  body += std::string(32, 'r');
  body += std::string("\0", 1);  // session id
  body += std::string("\4mmmm", 5);
  body += std::string("\0\2\xcc\xac\1\0", 6);
  const auto size = static_cast<char>(body.size());
  std::string message("\1\0\0", 3);
  message += size;
  message += std::string("\0\1\0\0\0\0\0", 7);
  message += size;
  std::string record("\x16\xfe\xff\0\0\0\0\0\0\0\7\0", 12);
  record += static_cast<char>(message.size() + body.size());
  return record + message + body;
}();

TEST(ClientHello, is_read_whole) {
  const auto hello = decode_client_hello(kHello);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->record, 7U);
  EXPECT_EQ(hello->cookie, "mmmm");
  EXPECT_EQ(std::string(hello->random.data(), 32), std::string(32, 'r'));
  EXPECT_TRUE(is_dtls(kHello));
}

TEST(ClientHello, that_is_cut_anywhere_is_none) {
  for (std::size_t size = 0; size < kHello.size(); ++size) {
    EXPECT_FALSE(decode_client_hello(kHello.substr(0, size))) << size;
  }
}

TEST(Dtls, is_no_text_and_not_native) {
  EXPECT_FALSE(is_dtls("reg"));
  EXPECT_FALSE(is_dtls("\x16\x03\x01 a TLS ClientHello"));
  EXPECT_FALSE(is_dtls("\xf5\x01\x01 native, and long enough"));
}

TEST(HelloVerifyRequest, is_shorter_than_what_it_answers) {
  std::string out;
  encode_hello_verify(std::string(20, 'c'), 7, out);
  EXPECT_EQ(out.size(), 48U);
  EXPECT_LT(out.size(), kHello.size());
  const std::string head(
      "\x16\xfe\xff\0\0\0\0\0\0\0\7\0\x23\3\0\0\x17\0\0\0\0\0\0\0\x17\xfe\xff\x14", 28);
  EXPECT_EQ(out, head + std::string(20, 'c'));
}

TEST(Alert, that_is_fatal_and_in_clear_is_read) {
  std::string out;
  encode_alert(Alert::unknown_psk_identity, 3, out);
  std::string_view rest = out;
  const auto record = take_record(rest);
  ASSERT_TRUE(record);
  EXPECT_EQ(decode_alert(*record), 115);
  EXPECT_TRUE(rest.empty());
}

}  // namespace
}  // namespace netkit::datagram
