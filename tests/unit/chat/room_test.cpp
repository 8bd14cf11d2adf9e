#include <algorithm>
#include <chat/room.hpp>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace netkit::chat {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

std::string describe(const FromRoom& event) {
  if (const auto* m = std::get_if<Message>(&event)) {
    return std::string(m->name) + ": " + std::string(m->text);
  }
  if (const auto* m = std::get_if<Joined>(&event)) return std::string(m->name) + " joined";
  if (const auto* m = std::get_if<Left>(&event)) {
    return std::string(m->name) + " left " + std::string(to_string(m->reason));
  }
  if (const auto* m = std::get_if<Renamed>(&event)) {
    return std::string(m->from) + " is now " + std::string(m->to);
  }
  if (const auto* m = std::get_if<Present>(&event)) return "present " + std::string(m->name);
  if (const auto* m = std::get_if<Refused>(&event)) {
    return "refused " + std::to_string(m->request) + " " + std::string(m->why);
  }
  if (const auto* m = std::get_if<Topic>(&event)) {
    return std::string(m->name) + " set the topic " + std::string(m->text);
  }
  return "synced";
}

class RoomTest : public testing::Test, public Room::Handler {
 protected:
  Room& room() {
    if (!room_) room_ = std::make_unique<Room>(options, *this);
    return *room_;
  }
  static Endpoint at(std::uint64_t port) {
    return {IpAddress::loopback(IpAddress::Family::v4), static_cast<std::uint16_t>(port)};
  }
  void plain(std::uint16_t port, std::string_view text, bool allowed = true) {
    room().on_plain(at(port), text, allowed, now, wall);
  }
  Room::Entry join(std::string_view name, std::uint64_t instance, std::uint64_t taken = 0,
                   bool proved = false) {
    Hello hello;
    hello.instance = instance;
    hello.taken = taken;
    hello.name = name;
    return room().join(hello, at(instance), now, proved);
  }
  Room::Entry join_by_key(std::string_view name, std::uint64_t instance) {
    return join(name, instance, 0, true);
  }
  void request(Slot slot, const Request& what) { room().on_request(slot, what, now, wall); }

  Room::Options options{Template::parse("[{name}] {text}\\n", "--template")};
  TimePoint now{1h};
  WallTime wall{1h};
  Texts told;       // to one native member
  Texts datagrams;  // to plain members
  Texts events;

 private:
  void say(const Message&) override {}
  void notify(const FromRoom&) override {}
  void tell(Slot member, std::span<const FromRoom> messages) override {
    for (const FromRoom& m : messages) told.push_back(std::to_string(member) + " " + describe(m));
  }
  void say_plain(std::string_view datagram) override { datagrams.emplace_back(datagram); }
  void tell_plain(const datagram::Path& member, std::string_view datagram) override {
    datagrams.push_back(member.peer.to_string() + " " + std::string(datagram));
  }
  void on_plain_change() override {}
  void on_replaced(Slot member) override { told.push_back(std::to_string(member) + " replaced"); }
  void on_displaced(Slot member) override { told.push_back(std::to_string(member) + " displaced"); }
  void on_put_out(Slot member, LeaveReason reason) override {
    told.push_back(std::to_string(member) + " put out " + std::string(to_string(reason)));
  }
  void on_event(const FromRoom& event, std::uint64_t seq, const Endpoint&) override {
    events.push_back(std::to_string(seq) + " " + describe(event));
  }
  std::unique_ptr<Room> room_;
};

TEST_F(RoomTest, RegistersPlainMembersWithoutAnswer) {
  plain(1, "reg\n");
  plain(1, " ^hb^ ");
  EXPECT_EQ(events, Texts{"0 127.0.0.1:1 joined"});
  EXPECT_EQ(datagrams, Texts{});
}

TEST_F(RoomTest, GivesEveryMessageToPlainMembers) {
  join("ann", 100);
  plain(1, "  hi \r\n");
  request(0, Say{false, " to all "});
  EXPECT_EQ(datagrams, (Texts{"[127.0.0.1:1] hi\n", "[ann] to all\n"}));
  EXPECT_EQ(events.back(), "2 ann:  to all ");
}

TEST_F(RoomTest, IgnoresStrangersWhoQuitAndEmptyMessages) {
  plain(1, "quit");
  plain(2, "   ");
  plain(3, "hello", false);
  plain(0, "hello");
  EXPECT_EQ(room().members(), 0U);
  EXPECT_EQ(room().counters().refused_plain, 1U);
  EXPECT_EQ(room().counters().ignored, 3U);
}

TEST_F(RoomTest, EvictsByTheLeaseAndNotBefore) {
  plain(1, "reg");
  plain(2, "reg");
  now += 10s;
  plain(1, "^hb^");
  EXPECT_EQ(room().next_deadline(), now + 5s);
  room().tick(now + 5s - 1ns);
  EXPECT_EQ(room().plain_members(), 2U);
  room().tick(now + 5s);
  EXPECT_EQ(events.back(), "0 127.0.0.1:2 left lease");
  EXPECT_EQ(room().plain_members(), 1U);
}

TEST_F(RoomTest, TakesNoMoreThanItsLimits) {
  options.max_members = 2;
  options.rate = 2;
  plain(1, "a");
  plain(2, "b");
  plain(3, "c");
  EXPECT_EQ(join("ann", 100).refusal, Room::Entry::Refusal::full);
  EXPECT_EQ(room().counters().dropped_full, 2U);
  plain(1, "d");
  plain(1, "e");
  EXPECT_EQ(room().counters().dropped_rate, 1U);
}

TEST_F(RoomTest, OneAddressDoesNotTakeAllPlaces) {
  options.max_members = 4;
  const auto come = [&](std::uint64_t instance, std::string_view from) {
    const std::string name = "m" + std::to_string(instance);
    Hello hello;
    hello.instance = instance;
    hello.name = name;
    return room().join(hello, *Endpoint::parse(from), now);
  };
  room().on_plain(*Endpoint::parse("192.0.2.1:1"), "reg", true, now, wall);
  const Slot second = come(2, "192.0.2.1:2").slot;
  EXPECT_NE(come(3, "192.0.2.1:3").slot, kNoSlot);
  EXPECT_EQ(come(4, "192.0.2.1:4").why, "its address has 3 of 4 places (--max-members)");
  EXPECT_NE(come(5, "192.0.2.2:5").slot, kNoSlot);
  EXPECT_EQ(room().counters().refused_share, 1U);
  room().leave(second, LeaveReason::quit);
  EXPECT_NE(come(6, "192.0.2.1:6").slot, kNoSlot);
}

TEST_F(RoomTest, ListsCostWhatTheyHold) {
  options.rate = 1;
  const Slot eve = join("eve", 100).slot;
  for (std::uint64_t i = 0; i < 79; ++i) join("m" + std::to_string(i), 200 + i);
  told.clear();
  for (int i = 0; i < 10; ++i) request(eve, Who{});
  const auto lists = std::count(told.begin(), told.end(), std::to_string(eve) + " present ");
  EXPECT_LE(lists, 4);
  EXPECT_GE(room().counters().dropped_rate, 6U);
}

TEST_F(RoomTest, RefusesNamesThatAreTakenOrNone) {
  EXPECT_EQ(join("ann", 100).slot, 0U);
  EXPECT_EQ(join("ann", 101).why, "the name 'ann' is taken");
  EXPECT_EQ(join("", 102).refusal, Room::Entry::Refusal::bad_name);
  EXPECT_EQ(join("127.0.0.1:5", 103).refusal, Room::Entry::Refusal::bad_name);
}

TEST_F(RoomTest, KnowsWhoComesBack) {
  const auto ann = join("ann", 100);
  request(ann.slot, Say{false, "one"});
  const std::size_t before = events.size();
  const auto again = join("ann", 100);
  EXPECT_EQ(told, Texts{"0 replaced"});
  EXPECT_EQ(again.member, ann.member);
  EXPECT_EQ(again.taken, 1U);
  EXPECT_EQ(events.size(), before);  // nobody noticed
  room().leave(again.slot, LeaveReason::lease);
  const auto later = join("anna", 100);
  EXPECT_EQ(later.member, ann.member);
  EXPECT_EQ(later.taken, 1U);
  EXPECT_EQ(join("bob", 200, 17).taken, 17U);  // of a room that was started anew
}

TEST_F(RoomTest, ForgetsWhoLeftLongAgo) {
  options.remember = 1;
  const auto ann = join("ann", 100);
  request(ann.slot, Say{false, "one"});
  room().leave(ann.slot, LeaveReason::quit);
  room().leave(join("bob", 200).slot, LeaveReason::quit);
  EXPECT_EQ(join("ann", 100).taken, 0U);
}

TEST_F(RoomTest, SaysPrivateThingsToOne) {
  const auto ann = join("ann", 100);
  join("ann b", 101);
  plain(1, "reg");
  request(ann.slot, Tell{"ann b hello"});
  request(ann.slot, Tell{"127.0.0.1:1 hi"});
  request(ann.slot, Tell{"nobody hi"});
  EXPECT_EQ(told, (Texts{"1 ann: hello", "0 refused 3 there is no 'nobody' here"}));
  EXPECT_EQ(datagrams, Texts{"127.0.0.1:1 [ann] hi\n"});
}

TEST_F(RoomTest, Renames) {
  const auto ann = join("ann", 100);
  join("bob", 101);
  request(ann.slot, Rename{"anna"});
  EXPECT_EQ(events.back(), "0 ann is now anna");
  request(ann.slot, Rename{"bob"});
  EXPECT_EQ(told.back(), "0 refused 2 the name 'bob' is taken");
  EXPECT_EQ(join("ann", 102).slot, 2U);
}

TEST_F(RoomTest, ListsAndSyncs) {
  const auto bob = join("bob", 100);
  join("ann", 101);
  request(bob.slot, Who{});
  request(bob.slot, Sync{});
  EXPECT_EQ(told, (Texts{"0 present ann", "0 present bob", "0 present ", "0 synced"}));
}

TEST_F(RoomTest, TakesLostRequestsByTheirCount) {
  const Slot ann = join("ann", 7).slot;
  told.clear();
  room().on_lost(ann, 1);
  room().on_lost(ann, 0xffffffff);
  EXPECT_EQ(told, (Texts{"0 refused 1 not understood", "0 refused 4294967296 not understood"}));
  request(ann, Sync{});
  EXPECT_EQ(join("ann", 7).taken, 4294967297U);
}

TEST_F(RoomTest, KeepsItsNamesWhileItGrows) {
  for (std::uint64_t i = 1; i <= 300; ++i) join("m" + std::to_string(i), i);
  for (std::uint64_t i = 1; i <= 300; ++i) {
    EXPECT_EQ(join("m" + std::to_string(i), i + 1000).refusal, Room::Entry::Refusal::taken);
  }
  for (Slot slot = 0; slot < 300; slot += 2) room().leave(slot, LeaveReason::quit);
  EXPECT_EQ(room().members(), 150U);
}

TEST_F(RoomTest, SaysEndWhenItCloses) {
  plain(1, "reg");
  room().close();
  EXPECT_EQ(datagrams, Texts{"end"});
}

TEST_F(RoomTest, TheHolderOfANamesKeyTakesThePlaceOfWhoHasIt) {
  const Slot old = join_by_key("ann", 1).slot;
  told.clear();
  const Room::Entry again = join_by_key("ann", 2);
  EXPECT_NE(again.slot, kNoSlot);
  EXPECT_EQ(told, Texts{std::to_string(old) + " displaced"});
  EXPECT_EQ(room().members(), 1U);
  request(again.slot, Rename{"ben"});
  EXPECT_EQ(told.back(), std::to_string(again.slot) + " refused 1 the key determines the name");
}

TEST_F(RoomTest, WhoHasTheKeyOfANameLeavesForAnotherServer) {
  const Slot ann = join_by_key("ann", 1).slot;
  join("ben", 2);
  told.clear();
  EXPECT_EQ(room().give_other_name("ann"), "");
  EXPECT_EQ(told, Texts{std::to_string(ann) + " displaced"});
  EXPECT_EQ(events.back(), "0 ann left quit");
  EXPECT_EQ(room().give_other_name("ben"), "ben2");
}

class OperatorTest : public RoomTest {
 protected:
  OperatorTest() {
    options.operators = {"ann"};
    ann = join_by_key("ann", 1).slot;
    ben = join_by_key("ben", 2).slot;
    told.clear();
    events.clear();
  }
  std::string answer(Slot slot, const Request& what) {
    told.clear();
    request(slot, what);
    return told.empty() ? "" : told.back();
  }
  Slot ann = kNoSlot;
  Slot ben = kNoSlot;
};

TEST_F(OperatorTest, KicksWhoMayComeBack) {
  EXPECT_EQ(answer(ann, Kick{"ben"}), std::to_string(ben) + " put out kicked");
  EXPECT_EQ(events.back(), "0 ben left kicked");
  EXPECT_NE(join_by_key("ben", 3).slot, kNoSlot);
  EXPECT_EQ(answer(ann, Kick{"bob"}), std::to_string(ann) + " refused 2 there is no 'bob' here");
}

TEST_F(OperatorTest, BansWhoDoesNotComeBack) {
  EXPECT_EQ(answer(ann, Ban{"ben"}), std::to_string(ben) + " put out banned");
  const Room::Entry entry = join_by_key("ben", 3);
  EXPECT_EQ(entry.slot, kNoSlot);
  EXPECT_EQ(entry.refusal, Room::Entry::Refusal::banned);
  EXPECT_EQ(answer(ann, Ban{"bob"}), "") << "who is not here";
  EXPECT_EQ(join_by_key("bob", 4).slot, kNoSlot);
}

TEST_F(OperatorTest, MutesForAWhile) {
  EXPECT_EQ(answer(ann, Mute{60, "ben"}), "");
  EXPECT_EQ(answer(ben, Say{false, "hey"}),
            std::to_string(ben) + " refused 1 an operator has muted you");
  now += 61s;
  EXPECT_EQ(answer(ben, Say{false, "hey"}), "");
  EXPECT_EQ(events.back(), "1 ben: hey");
  answer(ann, Mute{Mute::kForever, "ben"});
  now += std::chrono::hours(1000);
  EXPECT_NE(answer(ben, Tell{"ann hey"}), "");
  answer(ann, Mute{0, "ben"});
  EXPECT_EQ(answer(ben, Say{false, "hey"}), "");
}

TEST_F(OperatorTest, SetsTheTopic) {
  answer(ann, SetTopic{"the weather"});
  EXPECT_EQ(events.back(), "0 ann set the topic the weather");
  EXPECT_EQ(room().moderation().topic(), "the weather");
}

TEST_F(OperatorTest, IsWhoHasAKeyOfTheList) {
  const Slot plain_name = join("eve", 5).slot;
  for (const Slot slot : {ben, plain_name}) {
    for (const Request& what : {Request(Kick{"ann"}), Request(Ban{"ann"}), Request(Mute{0, "ann"}),
                                Request(SetTopic{"x"})}) {
      EXPECT_NE(answer(slot, what).find("only operators may do that"), std::string::npos);
    }
  }
  EXPECT_EQ(room().members(), 3U);
}

TEST_F(OperatorTest, KicksPlainMembersAndCannotBanOrMuteThem) {
  plain(7, "reg");
  const std::string name = at(7).to_string();
  EXPECT_NE(answer(ann, Ban{name}).find("has no key to ban"), std::string::npos);
  EXPECT_NE(answer(ann, Mute{0, name}).find("has no key to mute"), std::string::npos);
  answer(ann, Kick{name});
  EXPECT_EQ(events.back(), "0 " + name + " left kicked");
}

// The store found it to be another's; it is as long as one may be, and its last letter two bytes.
TEST_F(RoomTest, AnotherNameIsAName) {
  const std::string name = std::string(kMaxName - 2, 'a') + "\u00e9";
  join(name, 1);
  EXPECT_EQ(room().give_other_name(name), std::string(kMaxName - 2, 'a') + "2");
}

}  // namespace
}  // namespace netkit::chat
