// The test vectors of netkit-protocol(7): what the page shows is what the codec makes and reads.
#include "datagram/chunk.hpp"
#include "datagram/moving.hpp"
#include "datagram/wire.hpp"
#include "support/page_vectors.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

using test::hex;

constexpr std::uint64_t kNonce = 0x0102030405060708;
constexpr std::uint64_t kSession = 0xa1a2a3a4a5a6a7a8;

Cookie cookie() {
  Cookie bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(0x20 + i);
  return bytes;
}

SessionKey key() {
  SessionKey bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(0x40 + i);
  return bytes;
}

MoveToken token() {
  MoveToken bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(0x60 + i);
  return bytes;
}

template <typename Message>
std::string bytes_of(const Message& message) {
  std::string out;
  encode(message, out);
  return out;
}

std::string in_session(Type type, std::string_view body, std::uint8_t flags = 0) {
  Header header;
  header.type = type;
  header.flags = flags;
  header.session = kSession;
  header.seq = 0x11121314;
  header.ack = 0xfffffffe;
  header.window = 256;
  header.ack_delay = 15;
  std::string out(kHeaderSize, '\0');
  encode_header(header, out.data());
  return out += body;
}

std::vector<ChunkRef> pack(std::uint64_t first, std::size_t max_body,
                           std::initializer_list<std::string_view> messages) {
  Packer packer({max_body, 65536, first});
  for (const auto message : messages) packer.append(message);
  const auto chunks = packer.flush();
  return {chunks.begin(), chunks.end()};
}

std::map<std::string, std::string> made_vectors() {
  std::map<std::string, std::string> made;
  made["hello"] = bytes_of(Hello{kNonce});
  made["cookie"] = bytes_of(CookieReply{kNonce, cookie()});
  made["connect"] = bytes_of(Connect{kNonce, cookie(), 0xfffffffe, 256, "ann"});
  made["accept"] = bytes_of(Accept{kNonce, kSession, 0x11121314, 256, 30000, key(), "hi"});
  made["reject"] = bytes_of(Reject{kNonce, 2, "taken"});
  made["challenge"] = bytes_of(Challenge{kSession, token()});
  made["move"] = bytes_of(Move{kSession, token(), 1, prove_move(key(), kSession, token(), 1)});
  made["reset"] = bytes_of(Reset{kSession});
  made["version"] = bytes_of(VersionReply{kNonce, 2, 2});
  made["data"] = in_session(Type::data, pack(7, kMaxBody, {"one", "", "two"})[0]->body);
  const auto cut = pack(0, 16, {"0123456789abcdefghij", "k"});
  EXPECT_EQ(cut.size(), 2u);
  made["body-cut-first"] = cut[0]->body;
  made["body-cut-last"] = cut[1]->body;
  made["body-long"] = pack(0, kMaxBody, {std::string(130, 'x')})[0]->body.substr(0, 5);
  made["body-gap"] = make_gap({8, 90, 2})->body;
  made["body-end"] = make_end(0, "bye")->body;
  made["ack"] = in_session(Type::ack, "\x05", Header::kPing);
  std::string marks;
  append_ecn_counts({9, 1}, marks);
  made["ack-ecn"] = in_session(Type::ack, marks + "\x05", Header::kEcn);
  made["bye"] = in_session(Type::bye, std::string_view("\0quit", 5));
  return made;
}

TEST(ManPage, ShowsEveryVectorAsTheCodecMakesIt) {
  const auto shown = test::page_vectors("vector");
  const auto made = made_vectors();
  for (const auto& [name, bytes] : made) {
    EXPECT_TRUE(shown.contains(name)) << name << ": " << hex(bytes);
    if (!shown.contains(name)) continue;
    EXPECT_EQ(shown.at(name), hex(bytes)) << name;
  }
  EXPECT_EQ(shown.size(), made.size());
}

}  // namespace
}  // namespace netkit::datagram
