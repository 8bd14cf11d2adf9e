#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <push/hub.hpp>
#include <push/payload.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/datagram/client.hpp>

namespace netkit::push {
namespace {

using Lines = std::vector<std::string>;

Endpoint at(std::string_view address) {
  return *Endpoint::parse(address);
}

const Endpoint kServer = at("10.0.0.1:9000");

datagram::Random dice(std::uint64_t seed) {
  return [seed]() mutable { return seed += 0x9e3779b97f4a7c15u; };
}

// A native client that notes what it hears.
class Client final : public datagram::Client::Handler {
 public:
  Client(const Endpoint& address, const datagram::Options& options)
      : self(address), endpoint(options, kServer, dice(address.hash()), *this) {}

  void on_connected(std::string_view payload) override {
    welcome = *decode_welcome(payload);
    endpoint.expect_record(welcome.first);
  }
  void on_rejected(std::uint16_t, std::string_view text) override { left = std::string(text); }
  void on_message(std::uint64_t record, std::string_view text) override {
    heard.push_back(std::to_string(record) + " " + std::string(text));
  }
  void on_gap(const datagram::Gap& gap) override {
    heard.push_back("gap " + std::to_string(gap.from) + "-" + std::to_string(gap.to));
  }
  void on_left(datagram::LeftReason reason, std::string_view text) override {
    left = std::string(to_string(reason)) + ": " + std::string(text);
  }

  Endpoint self;
  datagram::Client endpoint;
  Welcome welcome;
  Lines heard;
  std::string left;
};

class HubTest : public testing::Test, public Hub::Handler {
 protected:
  void Start(const Hub::Options& given = {},
             AnswerPolicy::Plain plain_ones = AnswerPolicy::Plain::local) {
    options = given;
    NetworkView networks;
    networks.is_own = [](const IpAddress& address) { return address == kServer.address(); };
    networks.is_broadcast = [](const IpAddress&) { return false; };
    networks.is_on_link = [](const IpAddress& address) {
      return address.is_loopback() || Cidr::parse("10.0.0.0/8")->contains(address);
    };
    rules.emplace(AnswerPolicy::Options{.plain = plain_ones}, networks, std::vector{kServer});
    hub = std::make_unique<Hub>(options, dice(42), *this);
  }
  void SetUp() override { Start(); }

  void Plain(std::string_view from, std::string_view text) {
    hub->on_datagram(at(from), text, now);
  }
  Client& Native(std::string_view from, std::string_view name, std::uint64_t since = 0,
                 std::uint64_t stream = 0, std::vector<std::string> topics = {}) {
    const Endpoint address = at(from);
    clients[address] = std::make_unique<Client>(address, options.protocol);
    Client& client = *clients[address];
    client.endpoint.connect(encode(Request{stream, since, name, std::move(topics)}), now);
    Exchange();
    return client;
  }
  void Publish(std::string_view text) { hub->publish(text); }
  // What was published is given to the sessions, and lost on its way.
  void Drain() {
    datagram::OutputQueue queue;
    hub->drain(queue, now);
  }
  // Carries datagrams to and fro until nobody has anything to say for a while.
  void Exchange() {
    for (int round = 0; round < 40; ++round) {
      datagram::OutputQueue queue;
      hub->tick(now);
      while (hub->drain(queue, now)) {
      }
      for (const auto& item : queue.items()) {
        if (!datagram::is_native(item.body) && item.head.empty()) plain.emplace_back(item.body);
        const auto client = clients.find(item.to->peer);
        if (client == clients.end() || deaf) continue;
        client->second->endpoint.on_datagram(std::string(item.head) + std::string(item.body), now);
      }
      for (const auto& [address, client] : clients) Answer(*client);
      now += std::chrono::milliseconds(5);
    }
  }
  void Answer(Client& client) {
    datagram::OutputQueue queue;
    client.endpoint.tick(now);
    while (client.endpoint.drain(queue, now)) {
    }
    if (deaf) return;
    for (const auto& item : queue.items()) {
      hub->on_datagram(client.self, std::string(item.head) + std::string(item.body), now);
    }
  }
  Lines Roster() {
    Lines rows;
    hub->for_each_row(now, [&](const RosterRow& row) {
      rows.push_back(std::string(row.name) + " " + row.address.to_string());
    });
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  Lines Take() { return std::exchange(events, {}); }

  void on_subscribed(const Subscriber& subscriber) override {
    events.push_back("+" + std::string(subscriber.name));
  }
  void on_unsubscribed(const Subscriber& subscriber, std::string_view why,
                       std::uint64_t count) override {
    undelivered += count;
    events.push_back("-" + std::string(subscriber.name) + " " + std::string(why));
  }
  void on_full(const Endpoint&, std::string_view) override { events.emplace_back("full"); }
  const AnswerPolicy& policy() const override { return *rules; }

  Hub::Options options;
  std::optional<AnswerPolicy> rules;
  std::unique_ptr<Hub> hub;
  std::map<Endpoint, std::unique_ptr<Client>> clients;
  TimePoint now{std::chrono::hours(1)};
  bool deaf = false;  // no datagram arrives anywhere
  std::uint64_t undelivered = 0;
  Lines events;
  Lines plain;  // datagrams to plain subscribers
};

TEST_F(HubTest, APlainPeerSubscribesByItsName) {
  Plain("10.0.0.2:1", " ann\n");
  EXPECT_EQ(Take(), Lines{"+ann"});
  EXPECT_EQ(Roster(), Lines{"ann 10.0.0.2:1"});
  Plain("10.0.0.2:1", "ann");
  EXPECT_EQ(Take(), Lines{});
}

TEST_F(HubTest, TheSameNameMovesAndAnotherNameRenames) {
  Plain("10.0.0.2:1", "ann");
  Plain("10.0.0.3:1", "ann");
  EXPECT_EQ(Take(), (Lines{"+ann", "-ann moved", "+ann"}));
  EXPECT_EQ(Roster(), Lines{"ann 10.0.0.3:1"});
  Plain("10.0.0.3:1", "bob");
  EXPECT_EQ(Take(), (Lines{"-ann moved", "+bob"}));
  EXPECT_EQ(hub->table().plain_paths().size(), 1u);
}

TEST_F(HubTest, ANameAndAnAddressOfTwoOthersAreTakenTogether) {
  Plain("10.0.0.2:1", "ann");
  Plain("10.0.0.3:1", "bob");
  Plain("10.0.0.3:1", "ann");
  EXPECT_EQ(Roster(), Lines{"ann 10.0.0.3:1"});
}

TEST_F(HubTest, EmptyAndOverlongNamesAreIgnored) {
  Plain("10.0.0.2:1", " \n");
  Plain("10.0.0.2:1", std::string(256, 'x'));
  EXPECT_EQ(hub->size(), 0u);
  EXPECT_EQ(hub->counters().refused_name, 2u);
}

TEST_F(HubTest, ARequestThatIsRefusedIsToldWhatOneIs) {
  EXPECT_NE(Native("10.0.0.2:5", "ann", 0, 0, {"a+"}).left.find("topic filters"),
            std::string::npos);
}

TEST_F(HubTest, PlainPeersFromElsewhereAreRefusedUnlessToldOtherwise) {
  Plain("192.0.2.1:1", "far");
  Plain("127.0.0.1:1", "near");
  EXPECT_EQ(Roster(), Lines{"near 127.0.0.1:1"});
  Start({}, AnswerPolicy::Plain::all);
  Plain("192.0.2.1:1", "far");
  EXPECT_EQ(hub->size(), 1u);
  Start({}, AnswerPolicy::Plain::none);
  Plain("127.0.0.1:1", "near");
  EXPECT_EQ(hub->size(), 0u);
}

TEST_F(HubTest, UnfitAddressesAreNeverSubscribed) {
  Start({}, AnswerPolicy::Plain::all);
  Plain("10.0.0.2:0", "zero");
  Plain("10.0.0.1:9000", "myself");
  Plain("10.0.0.2:53", "dns");
  EXPECT_EQ(hub->size(), 0u);
  EXPECT_EQ(hub->counters().refused_plain, 3u);
}

TEST_F(HubTest, ATableThatIsFullRefusesNewcomersAndLetsOthersMove) {
  Start({.protocol = {}, .max_subscribers = 1});
  Plain("10.0.0.2:1", "ann");
  Plain("10.0.0.3:1", "bob");
  EXPECT_EQ(Native("10.0.0.4:1", "cid").left, "full: 1 subscriber (--max-subscribers)");
  EXPECT_EQ(Take(), (Lines{"+ann", "full", "full"}));
  Plain("10.0.0.3:1", "ann");
  EXPECT_EQ(Roster(), Lines{"ann 10.0.0.3:1"});
}

TEST_F(HubTest, OneAddressDoesNotTakeAllPlaces) {
  Start({.protocol = {}, .max_subscribers = 4});
  for (const char* port : {"1", "2", "3"}) Plain("10.0.0.2:" + std::string(port), port);
  Plain("10.0.0.2:4", "one more");
  EXPECT_EQ(Native("10.0.0.2:5", "native").left,
            "its address has 3 of 4 places (--max-subscribers)");
  EXPECT_EQ(hub->counters().refused_share, 2u);
  EXPECT_EQ(Native("10.0.0.3:1", "other").left, "");
  hub->unsubscribe("1");
  Plain("10.0.0.2:6", "again");
  EXPECT_EQ(hub->size(), 4u);
}

TEST_F(HubTest, PlainRecordsGoToThoseWhoAreThereWhenTheyArePublished) {
  Publish("nobody");
  Plain("10.0.0.2:1", "ann");
  Publish("one");
  Publish("two");
  Plain("10.0.0.3:1", "bob");
  Publish("three");
  Plain("10.0.0.4:1", "cid");
  hub->unsubscribe("bob");
  Exchange();
  EXPECT_EQ(plain, (Lines{"one", "two", "three", "three"}));
}

TEST_F(HubTest, ManyPlainDatagramsGoOutInRounds) {
  for (int port = 20001; port <= 20300; ++port) {
    Plain("10.0.0.2:" + std::to_string(port), std::to_string(port));
  }
  for (int i = 0; i < 5; ++i) Publish("record");
  datagram::OutputQueue queue;
  EXPECT_TRUE(hub->drain(queue, now));
  EXPECT_EQ(queue.size(), datagram::OutputQueue::kRound);
  EXPECT_EQ(hub->plain_waiting(), 1500 - datagram::OutputQueue::kRound);
  queue.clear();
  EXPECT_FALSE(hub->drain(queue, now));
  EXPECT_EQ(queue.size(), 1500 - datagram::OutputQueue::kRound);
}

TEST_F(HubTest, APortThatIsUnreachableIsUnsubscribed) {
  Plain("10.0.0.2:1", "ann");
  hub->on_unreachable(at("10.0.0.9:1"));
  EXPECT_EQ(hub->size(), 1u);
  hub->on_unreachable(at("10.0.0.2:1"));
  EXPECT_EQ(Take(), (Lines{"+ann", "-ann port unreachable"}));
}

TEST_F(HubTest, AControlConnectionReleasesWhatItStillHolds) {
  EXPECT_EQ(hub->subscribe("ann", at("10.0.0.2:5"), 7, now), "");
  EXPECT_EQ(hub->subscribe("bob", at("10.0.0.2:6"), 7, now), "");
  EXPECT_EQ(hub->subscribe("bob", at("10.0.0.3:6"), 8, now), "");
  hub->release("ann", 7);
  hub->release("bob", 7);
  EXPECT_EQ(Roster(), Lines{"bob 10.0.0.3:6"});
  EXPECT_TRUE(hub->unsubscribe("bob"));
  EXPECT_FALSE(hub->unsubscribe("bob"));
}

TEST_F(HubTest, ANativeSubscriberHearsWhatComesAfterIt) {
  Publish("before");
  const Client& ann = Native("10.0.0.2:1", "ann");
  Publish("one");
  Publish("two");
  Exchange();
  EXPECT_EQ(ann.heard, (Lines{"2 one", "3 two"}));
  EXPECT_EQ(hub->protocol_counters().messages_acked, 2u);
}

TEST_F(HubTest, TheNewestRecordGreetsNewcomers) {
  Start({.protocol = {}, .last = true});
  const Client& early = Native("10.0.0.2:1", "early");
  Publish("one");
  Publish("two");
  Exchange();
  Plain("10.0.0.3:1", "plain");
  Exchange();
  EXPECT_EQ(plain, Lines{"two"});
  EXPECT_EQ(Native("10.0.0.4:1", "native").heard, Lines{"2 two"});
  EXPECT_EQ(early.heard.size(), 2u);
}

TEST_F(HubTest, SinceBeginsWithThatRecord) {
  for (const char* text : {"one", "two", "three"}) Publish(text);
  Drain();
  EXPECT_EQ(Native("10.0.0.2:1", "ann", 2).heard, (Lines{"2 two", "3 three"}));
  EXPECT_EQ(Native("10.0.0.3:1", "bob", 100).welcome.first, 4u);
}

TEST_F(HubTest, NumbersOfAnotherRunMeanNothing) {
  for (const char* text : {"one", "two", "three"}) Publish(text);
  Drain();
  const Client& ann = Native("10.0.0.2:1", "ann", 2, 12345);
  EXPECT_EQ(ann.welcome.first, 4u);
  EXPECT_EQ(Native("10.0.0.3:1", "bob", 3, ann.welcome.stream).heard, Lines{"3 three"});
}

TEST_F(HubTest, WhatTheRingHasLostIsSaidWithItsNumbers) {
  Hub::Options small;
  small.protocol.keep = 4;
  Start(small);
  for (int i = 1; i <= 10; ++i) {
    Publish(std::to_string(i));
    Drain();
  }
  EXPECT_EQ(Native("10.0.0.2:1", "ann", 2).heard.front(), "gap 2-6");
}

TEST_F(HubTest, ANativeNameMovesAndTheOlderIsTold) {
  const Client& first = Native("10.0.0.2:1", "ann");
  Native("10.0.0.3:1", "ann");
  EXPECT_EQ(first.left, "bye: moved");
  EXPECT_EQ(Roster(), Lines{"ann 10.0.0.3:1"});
}

TEST_F(HubTest, ASilentNativeSubscriberIsForgotten) {
  Native("10.0.0.2:1", "ann");
  deaf = true;
  now += std::chrono::minutes(1);
  Exchange();
  EXPECT_EQ(Take(), (Lines{"+ann", "-ann silent"}));
  EXPECT_EQ(undelivered, 0u);
}

TEST_F(HubTest, SaysHowManyRecordsASilentOneDidNotGet) {
  Native("10.0.0.2:1", "ann");
  deaf = true;
  Publish("one");
  Publish("two");
  Exchange();
  now += std::chrono::minutes(1);
  Exchange();
  EXPECT_EQ(undelivered, 2u);
}

TEST_F(HubTest, FinishDeliversWhatIsDueAndSaysSo) {
  const Client& ann = Native("10.0.0.2:1", "ann");
  Publish("last");
  hub->finish(now);
  Exchange();
  EXPECT_EQ(ann.heard, Lines{"1 last"});
  EXPECT_EQ(ann.left, "ended: the source has ended");
  EXPECT_EQ(hub->sessions(), 0u);
}

TEST_F(HubTest, DropDisconnectsThoseWhoLag) {
  Hub::Options slow;
  slow.slow = SlowPolicy::drop;
  slow.protocol.keep = 10;
  slow.protocol.overflow = datagram::Overflow::keep_all;
  Start(slow);
  Native("10.0.0.2:1", "ann");
  Take();
  deaf = true;
  for (int i = 0; i < 200; ++i) {
    Publish(std::string(1000, 'x'));
    Drain();
  }
  Exchange();
  EXPECT_GT(hub->hold_until(now), now);
  EXPECT_EQ(Take(), Lines{});
  now += slow.grace;
  EXPECT_LE(hub->hold_until(now), now);
  EXPECT_EQ(Take(), Lines{"-ann too slow"});
}

TEST_F(HubTest, SkipHoldsTheSourceForTheGraceOnly) {
  Hub::Options slow;
  slow.protocol.keep = 10;
  Start(slow);
  Client& ann = Native("10.0.0.2:1", "ann");
  EXPECT_LE(hub->hold_until(now), now);
  deaf = true;
  for (int i = 0; i < 200; ++i) {
    Publish(std::string(1000, 'x'));
    Drain();
  }
  EXPECT_EQ(hub->hold_until(now), now + slow.grace);
  now += slow.grace;
  EXPECT_LE(hub->hold_until(now), now);
  deaf = false;
  Exchange();
  EXPECT_LE(hub->hold_until(now), now);
  EXPECT_EQ(ann.heard.back(), "200 " + std::string(1000, 'x'));
  EXPECT_GT(hub->protocol_counters().dropped, 0u);
}

TEST_F(HubTest, WaitHoldsTheSourceUntilTheSlowestIsBack) {
  Hub::Options slow;
  slow.slow = SlowPolicy::wait;
  slow.protocol.keep = 10;
  slow.protocol.overflow = datagram::Overflow::keep_all;
  Start(slow);
  Client& ann = Native("10.0.0.2:1", "ann");
  deaf = true;
  for (int i = 0; i < 200; ++i) {
    Publish(std::string(1000, 'x'));
    Drain();
  }
  EXPECT_EQ(hub->hold_until(now), TimePoint::max());
  deaf = false;
  Exchange();
  EXPECT_EQ(hub->hold_until(now), TimePoint::min());
  EXPECT_EQ(ann.heard.size(), 200u);
}

TEST_F(HubTest, NobodyCanReadByTopicWhereTooMuchWaitsAndNothingIsSkipped) {
  Hub::Options slow;
  slow.slow = SlowPolicy::wait;
  slow.protocol.overflow = datagram::Overflow::keep_all;
  slow.protocol.max_queued = 50'000;
  Start(slow);
  Native("10.0.0.2:1", "ann", 0, 0, {"#"});
  clients.clear();  // it acknowledges nothing
  for (int i = 0; i < 200; ++i) {
    Publish(std::string(1000, 'x'));
    Drain();
  }
  EXPECT_GT(hub->protocol_counters().queued, 50'000u);
  const Client& bob = Native("10.0.0.3:1", "bob", 0, 0, {"#"});
  EXPECT_EQ(bob.left, "too much waits for other subscribers (--max-memory)");
  const Client& eve = Native("10.0.0.4:1", "eve");  // of all records, which everybody shares
  EXPECT_TRUE(eve.endpoint.connected());
}

TEST_F(HubTest, ARecordLongerThanAMessageIsRefused) {
  EXPECT_TRUE(hub->publish(std::string(65536, 'x')));
  EXPECT_FALSE(hub->publish(std::string(65537, 'x')));
  EXPECT_EQ(hub->counters().too_long, 1u);
}

}  // namespace
}  // namespace netkit::push
