// Datagrams and bodies as bytes: limits, cuts, and everything that must be refused.
#include "datagram/chunk.hpp"
#include "datagram/receive_side.hpp"
#include "datagram/strangers.hpp"
#include "datagram/wire.hpp"
#include "lossy_net.hpp"

#include <optional>

#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

// What a receiver makes of bodies.
class Unpacking : public ::testing::Test, public MessageHandler {
 protected:
  void on_message(std::uint64_t record, std::string_view text) override {
    heard.push_back({record, std::string(text)});
  }
  void on_gap(const Gap& gap) override { gaps.push_back(gap); }
  void on_end(const Bye&) override {}

  void Feed(std::span<const ChunkRef> chunks) {
    for (const ChunkRef& chunk : chunks) Feed(chunk);
  }
  void Feed(const ChunkRef& chunk) {
    ASSERT_TRUE(is_valid_body(chunk->body));
    reassembler->deliver(chunk->body, *this);
  }
  std::vector<ChunkRef> Pack(std::uint64_t first, const std::vector<std::string>& messages,
                             std::size_t max_body = kMaxBody) {
    Packer packer({max_body, 1u << 20, first});
    for (const auto& message : messages) EXPECT_TRUE(packer.append(message));
    const auto chunks = packer.flush();
    return {chunks.begin(), chunks.end()};
  }

  Options options;
  Counters counters;
  std::optional<Reassembler> reassembler{std::in_place, options, counters};
  std::vector<Heard> heard;
  std::vector<Gap> gaps;
};

TEST_F(Unpacking, GivesBackWhatWasPackedWhateverTheSizes) {
  for (std::size_t max_body : {16u, 17u, 127u, 128u, 129u, 130u, 131u, 200u, 1176u}) {
    for (std::uint64_t first : {0u, 1u}) {
      std::vector<std::string> messages;
      for (std::size_t size = 0; size < 300; ++size) messages.emplace_back(size, 'a');
      messages.emplace_back(65536, 'b');
      heard.clear();
      reassembler.emplace(options, counters);
      const auto chunks = Pack(first, messages, max_body);
      for (std::size_t i = 0; i + 1 < chunks.size(); ++i) {
        ASSERT_EQ(chunks[i]->body.size(), max_body);
      }
      Feed(chunks);
      ASSERT_EQ(heard.size(), messages.size());
      for (std::size_t i = 0; i < messages.size(); ++i) {
        ASSERT_EQ(heard[i].text, messages[i]);
        ASSERT_EQ(heard[i].record, first == 0 ? 0 : first + i);
      }
    }
  }
  EXPECT_TRUE(gaps.empty());
}

TEST_F(Unpacking, ReportsEveryRunOfDroppedChunksExactly) {
  std::vector<std::string> messages;
  messages.reserve(40);
  for (int i = 0; i < 40; ++i)
    messages.emplace_back(static_cast<std::size_t>(i * 37 % 150), static_cast<char>('a' + i % 26));
  const auto chunks = Pack(1, messages, 40);
  for (std::size_t from = 1; from < chunks.size(); ++from) {
    for (std::size_t to = from; to <= chunks.size(); ++to) {
      heard.clear();
      gaps.clear();
      reassembler.emplace(options, counters);
      reassembler->expect(1);
      for (std::size_t i = 0; i < from; ++i) Feed(chunks[i]);
      if (to > from) {
        Feed(make_gap({chunks[from]->first_record, chunks[to - 1]->last_record(), 0}));
      }
      for (std::size_t i = to; i < chunks.size(); ++i) Feed(chunks[i]);
      std::vector<int> seen(messages.size() + 1);
      for (const Heard& one : heard) {
        ++seen[one.record];
        ASSERT_EQ(one.text, messages[one.record - 1]);
      }
      for (const Gap& gap : gaps) {
        for (std::uint64_t record = gap.from; record <= gap.to; ++record) ++seen[record];
      }
      for (std::size_t record = 1; record < seen.size(); ++record) {
        ASSERT_EQ(seen[record], 1) << "without " << from << " to " << to << ": " << record;
      }
    }
  }
}

TEST_F(Unpacking, IgnoresNumbersBelowWhatIsExpected) {
  reassembler->expect(3);
  Feed(Pack(1, {"one", "two", "three"}));
  EXPECT_EQ(heard, std::vector<Heard>({{3, "three"}}));
  EXPECT_EQ(counters.stale, 2u);
  EXPECT_TRUE(gaps.empty());
}

TEST_F(Unpacking, ReportsAJumpInNumbers) {
  Feed(Pack(1, {"one"}));
  Feed(Pack(5, {"five"}));
  EXPECT_EQ(gaps, std::vector<Gap>({{2, 4, 0}}));
  EXPECT_EQ(counters.lost, 3u);
}

TEST_F(Unpacking, SaysEachGapOnce) {
  Feed(Pack(1, {"one"}));
  Feed(make_gap({2, 4, 0}));
  Feed(Pack(5, {"five"}));
  EXPECT_EQ(gaps, std::vector<Gap>({{2, 4, 0}}));
}

TEST_F(Unpacking, PassesOverTheRestOfAMessageThatBeganBeforeTheSession) {
  const auto chunks = Pack(1, {std::string(100, 'a'), "two"}, 60);
  Feed(chunks.back());
  EXPECT_EQ(heard, std::vector<Heard>({{2, "two"}}));
  EXPECT_TRUE(gaps.empty());
}

TEST_F(Unpacking, RefusesALongerMessageThanItsLimit) {
  options.max_message = 100;
  Feed(Pack(1, {"one", std::string(3000, 'a'), "three"}));
  EXPECT_EQ(heard, std::vector<Heard>({{1, "one"}, {3, "three"}}));
  EXPECT_EQ(gaps, std::vector<Gap>({{2, 2, 0}}));
  EXPECT_EQ(counters.too_long, 1u);
}

TEST_F(Unpacking, KeepsMessagesWithAndWithoutNumbersApart) {
  const auto numbered = Pack(1, {std::string(30, 'a')}, 30);
  const auto others = Pack(0, {std::string(30, 'b')}, 20);
  Feed(numbered[0]);
  Feed(others);
  Feed(numbered[1]);
  EXPECT_EQ(heard, std::vector<Heard>({{0, std::string(30, 'b')}, {1, std::string(30, 'a')}}));
}

TEST(Packing, RefusesTooLongAMessageAndGoesOn) {
  Packer packer({kMaxBody, 10, 1});
  EXPECT_FALSE(packer.append(std::string(11, 'a')));
  EXPECT_TRUE(packer.append(std::string(10, 'a')));
  EXPECT_EQ(packer.next_record(), 2u);
  EXPECT_EQ(packer.flush().size(), 1u);
  EXPECT_TRUE(packer.empty());
  EXPECT_TRUE(packer.flush().empty());
}

TEST(ChunkRingTest, KeepsTheLastOnes) {
  ChunkRing ring(5);
  Packer packer;
  for (int i = 1; i <= 20; ++i) {
    packer.append(std::to_string(i));
    ring.add(packer.flush());
  }
  EXPECT_EQ(ring.first_record(), 16u);
  EXPECT_EQ(ring.last_record(), 20u);
  EXPECT_EQ(ring.since(18).size(), 3u);
  EXPECT_EQ(ring.since(1).size(), 5u);
  EXPECT_TRUE(ring.since(21).empty());
}

TEST(ChunkRingTest, BeginsWithAWholeMessage) {
  ChunkRing ring(2);
  Packer packer({60, 65536, 1});
  for (int i = 1; i <= 10; ++i) packer.append(std::string(100, 'a'));
  ring.add(packer.flush());
  EXPECT_LE(ring.first_record(), 9u);
  EXPECT_GT(ring.since(9).front()->begun(), 0u);
  EXPECT_GE(ring.since(10).front()->last_record(), 10u);
}

TEST(Body, IsRefusedWhenAnythingIsWrong) {
  using namespace std::string_literals;
  EXPECT_TRUE(is_valid_body("\0\1a"s));
  EXPECT_FALSE(is_valid_body(""));
  EXPECT_FALSE(is_valid_body("\0"s));                            // no entry
  EXPECT_FALSE(is_valid_body("\0\2a"s));                         // longer than the body
  EXPECT_FALSE(is_valid_body("\0\x80"s));                        // half a length
  EXPECT_FALSE(is_valid_body("\x08\1a"s));                       // an unknown flag
  EXPECT_FALSE(is_valid_body("\x30\1a"s));                       // an unknown kind
  EXPECT_FALSE(is_valid_body("\1\0\0\0\0\0\0\0\0\1a"s));         // number 0
  EXPECT_FALSE(is_valid_body("\1\xff\0\0\0\0\0\0\0\1a"s));       // a number that would overflow
  EXPECT_FALSE(is_valid_body("\x10\0"s));                        // a short gap
  EXPECT_FALSE(is_valid_body("\x10"s + std::string(20, '\0')));  // an empty gap
  EXPECT_TRUE(is_valid_body("\x20\0"s));
  EXPECT_FALSE(is_valid_body("\x20"s));
  EXPECT_FALSE(is_valid_body("\x20\0"s + std::string(256, 'a')));  // too long a text
}

TEST(Body, IsRefusedAtEveryCut) {
  for (const ChunkRef& chunk : {make_gap({1, 2, 3})}) {
    for (std::size_t size = 0; size < chunk->body.size(); ++size) {
      EXPECT_FALSE(is_valid_body(std::string_view(chunk->body).substr(0, size)));
    }
  }
}

TEST(Window, CountsFoursBeyondWhatAPlainOneMaySay) {
  for (const auto [window, on_wire, read] :
       {std::array{1024, 1024, 1024}, std::array{1025, 256, 1024}, std::array{4096, 1024, 4096}}) {
    Header header;
    header.window = static_cast<std::uint16_t>(window);
    std::string bytes(kHeaderSize, '\0');
    encode_header(header, bytes.data());
    EXPECT_EQ(static_cast<unsigned char>(bytes[20]) * 256 + static_cast<unsigned char>(bytes[21]),
              on_wire);
    const auto again = decode_header(bytes);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->window, read);
    EXPECT_EQ(again->flags, 0);
  }
}

TEST(Cookies, AreBoundToAddressPortZoneAndNonce) {
  std::mt19937_64 random;
  CookieJar jar(10s, [&] { return random(); });
  const TimePoint now{std::chrono::hours(1)};
  const Endpoint v6 = *Endpoint::parse("[2001:db8::1]:9");
  const Cookie cookie = jar.make(v6, 1, now);
  EXPECT_TRUE(jar.verify(cookie, v6, 1, now));
  EXPECT_FALSE(jar.verify(cookie, v6, 2, now));
  EXPECT_FALSE(jar.verify(cookie, *Endpoint::parse("[2001:db8::2]:9"), 1, now));
  EXPECT_FALSE(jar.verify(cookie, *Endpoint::parse("[2001:db8::1]:10"), 1, now));
  CookieJar other(10s, [&] { return random(); });
  EXPECT_FALSE(other.verify(cookie, v6, 1, now));
}

TEST(Cookies, LastOneToTwoLifetimes) {
  std::mt19937_64 random;
  CookieJar jar(10s, [&] { return random(); });
  const TimePoint now{std::chrono::hours(1)};
  const Cookie cookie = jar.make(endpoint(1), 1, now);
  EXPECT_TRUE(jar.verify(cookie, endpoint(1), 1, now + 19s));
  EXPECT_FALSE(jar.verify(cookie, endpoint(1), 1, now + 20s));
  EXPECT_FALSE(jar.verify(cookie, endpoint(1), 1, now + 19s));
}

// Every datagram of a conversation, cut at every length and with every bit of its first bytes
// turned over: nothing may come of it but a counter.
TEST_F(LossyNet, OutlivesBrokenDatagrams) {
  std::vector<std::pair<bool, std::string>> seen;
  tap = [&](const Endpoint& from, const std::string& bytes) {
    seen.emplace_back(from == server_address, bytes);
  };
  Client& ann = Connect();
  Push(1, 100);
  ann.end->send("hello");
  server->send(served.sessions[0], std::string(5000, 'a'));
  Run(1s);
  for (const auto& one : std::vector(seen)) {
    const std::string& bytes = one.second;
    const auto feed = [&](std::string_view broken) {
      if (one.first) {
        ann.end->on_datagram(broken, now);
      } else {
        server->on_datagram(ann.address, broken, now);
      }
    };
    for (std::size_t size = 0; size < bytes.size(); ++size) feed(bytes.substr(0, size));
    for (std::size_t bit = std::size_t{12} * 8; bit < std::min<std::size_t>(bytes.size(), 48) * 8;
         ++bit) {
      std::string flipped = bytes;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
      feed(flipped);
    }
  }
  Run(1s);
  EXPECT_GT(server->counters().malformed + ann.end->counters().malformed, 0u);
  EXPECT_TRUE(ann.end->connected());
}

}  // namespace
}  // namespace netkit::datagram
