#include "lossy_net.hpp"

#include <gtest/gtest.h>

#include <netkit/datagram/channel.hpp>

namespace netkit::datagram {
namespace {

class ChannelTest : public LossyNet {
 protected:
  // A client that hears what is said from record `from` on.
  Client& ConnectAt(std::uint64_t from) {
    Client& client = add_client();
    client.events.connected = [&client, from] { client.end->expect_record(from); };
    RunUntil([&] { return client.end->connected(); }, 10s);
    return client;
  }
  void Say(Channel& channel_used, int first, int last) {
    for (int i = first; i <= last; ++i) EXPECT_TRUE(channel_used.append(line(i)));
    channel_used.flush();
  }
};

TEST_F(ChannelTest, NumbersWhatItSaysToAll) {
  Client& ann = Connect();
  Channel news(*server, {});
  Say(news, 1, 300);
  EXPECT_TRUE(news.empty());
  EXPECT_EQ(news.next_record(), 301u);
  EXPECT_EQ(news.last_kept(), 0u);
  Run(1s);
  ExpectLines(ann.events.heard, 1, 300);
}

TEST_F(ChannelTest, GivesANewcomerWhatIsKept) {
  Connect();
  Channel news(*server, {.keep = 10});
  for (int i = 1; i <= 20; ++i) Say(news, i, i);
  EXPECT_EQ(news.first_kept(), 11u);
  EXPECT_EQ(news.last_kept(), 20u);
  Client& late = ConnectAt(15);
  EXPECT_TRUE(news.send_since(served.sessions.back(), 15));
  Say(news, 21, 22);
  Run(1s);
  ExpectLines(late.events.heard, 15, 22);
  EXPECT_TRUE(late.events.gaps.empty());
}

TEST_F(ChannelTest, ShowsWhatIsKept) {
  start_server();
  Channel news(*server, {.keep = 50});
  std::vector<Heard> said;
  for (std::uint64_t i = 1; i <= 80; ++i) {
    said.push_back({i, std::string(i * 700 % 3000, 'x')});  // many of them cut
    news.append(said.back().text);
    if (i % 7 == 0 || i == 80) news.flush();
  }
  EXPECT_GT(news.first_kept(), 1U);
  for (const std::uint64_t from : {std::uint64_t{1}, news.first_kept(), std::uint64_t{60}}) {
    std::vector<Heard> shown;
    news.for_each_kept(from, [&](std::uint64_t record, std::string_view text) {
      shown.push_back({record, std::string(text)});
    });
    const auto first = static_cast<std::ptrdiff_t>(std::max(from, news.first_kept()) - 1);
    EXPECT_EQ(shown, std::vector<Heard>(said.begin() + first, said.end()));
  }
}

TEST_F(ChannelTest, LeavesOneOut) {
  Client& ann = Connect();
  const SessionRef first = served.sessions.front();
  Client& bob = Connect();
  Channel notices(*server, {.numbered = false});
  notices.append("ann has come");
  notices.flush(first);
  Run(1s);
  EXPECT_TRUE(ann.events.heard.empty());
  EXPECT_EQ(bob.events.heard, std::vector<Heard>({{0, "ann has come"}}));
}

TEST_F(ChannelTest, RefusesWhatIsTooLong) {
  options.max_message = 10;
  start_server();
  Channel news(*server, {});
  EXPECT_FALSE(news.append(std::string(11, 'x')));
  EXPECT_EQ(news.next_record(), 1u);
}

TEST_F(ChannelTest, ASessionIsSentSeveralMessagesTogetherOrNone) {
  options.max_message = 10;
  Client& ann = Connect();
  const std::vector<std::string> good{"one", "two"};
  const std::vector<std::string> bad{"one", std::string(11, 'x')};
  EXPECT_TRUE(server->send(served.sessions[0], good));
  EXPECT_FALSE(server->send(served.sessions[0], bad));
  Run(1s);
  EXPECT_EQ(ann.events.heard, std::vector<Heard>({{0, "one"}, {0, "two"}}));
}

}  // namespace
}  // namespace netkit::datagram
