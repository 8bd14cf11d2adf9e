// A room and its members with a link between them that can lose, all in memory and in test time.
#pragma once

#include <chat/member.hpp>
#include <chat/room_server.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <netkit/util/random.hpp>

namespace netkit::chat::test {

inline datagram::Random seeded(std::uint64_t seed) {
  return [engine = std::make_shared<RandomEngine>(seed)] { return (*engine)(); };
}

inline Endpoint at_port(std::uint16_t port) {
  return {IpAddress::loopback(IpAddress::Family::v4), port};
}

class TestMember final : public Member::Handler {
 public:
  TestMember(const std::string& name, std::uint16_t port, std::uint64_t since)
      : endpoint(at_port(port)),
        member({.native = {}, .instance = port, .name = name, .since = since}, seeded(port),
               *this) {}

  void on_joined(const Welcome& welcome) override { motd = welcome.motd; }
  void on_rejected(std::uint16_t code, std::string_view why) override {
    rejected = std::to_string(code) + " " + std::string(why);
  }
  void on_event(const FromRoom& event, std::uint64_t seq) override {
    if (const auto* joined = std::get_if<Joined>(&event)) {
      came.emplace_back(joined->name);
    }
    const auto* m = std::get_if<Message>(&event);
    if (m == nullptr) return;
    heard.push_back(std::string(m->name) + ": " + std::string(m->text));
    last_seq = seq;
  }
  void on_gap(const datagram::Gap& gap) override { gaps.push_back(gap); }
  void on_refused(std::string_view text, std::string_view why) override {
    refused.push_back(std::string(text) + " (" + std::string(why) + ")");
  }
  void on_lost(datagram::LeftReason reason, std::string_view) override { lost.push_back(reason); }
  void on_finished() override { finished = true; }
  void on_ready() override { ++ready; }

  Endpoint endpoint;
  Member member;
  int ready = 0;
  std::string motd;
  std::string rejected;
  std::vector<std::string> heard;
  std::vector<std::string> refused;
  std::vector<std::string> came;
  std::vector<datagram::Gap> gaps;
  std::vector<datagram::LeftReason> lost;
  std::uint64_t last_seq = 0;
  bool finished = false;
};

class World : public RoomServer::Handler {
 public:
  World() : options{{Template::parse("[{name}] {text}\\n", "--template")}, {}, 1000, "be kind"} {
    options.native.lease = std::chrono::seconds(15);
    start();
  }
  // A new room in place of the old, which it knows nothing of.
  void start() { server = std::make_unique<RoomServer>(options, seeded(++seed_), *this); }
  TestMember& add(const std::string& name, std::uint64_t since = kSinceNow) {
    const auto port = static_cast<std::uint16_t>(5000 + members.size());
    members.push_back(std::make_unique<TestMember>(name, port, since));
    members.back()->member.connect(now);
    return *members.back();
  }
  // Moves datagrams and time until `duration` has passed.
  void run(Duration duration) {
    const TimePoint end = now + duration;
    for (; now < end; now += std::chrono::milliseconds(1)) exchange();
  }

  void on_event(const FromRoom&, std::uint64_t, const Endpoint&) override {}
  void on_closed() override { closed = true; }
  Placing place(const Message&, const Endpoint&, std::uint64_t, std::uint64_t) override {
    return {is_stored ? Place::store : Place::here, {}};
  }
  const AnswerPolicy& policy() const override { return policy_; }
  WallTime wall() const override { return WallTime{std::chrono::hours(1)}; }

  RoomServer::Options options;
  std::unique_ptr<RoomServer> server;
  std::vector<std::unique_ptr<TestMember>> members;
  std::vector<std::string> plain;  // what plain members got
  TimePoint now{std::chrono::hours(1)};
  double loss = 0;
  bool is_stored = false;  // what is said waits for its place in a store
  bool closed = false;

 private:
  void exchange() {
    for (auto& m : members) {
      if (m->member.next_deadline() <= now) m->member.tick(now);
      m->member.drain(queue_, now);
      for (const auto& item : queue_.items()) {
        if (random_.unit() < loss) continue;
        server->on_datagram(m->endpoint, std::string(item.head) + std::string(item.body), now);
      }
      queue_.clear();
    }
    if (server->next_deadline() <= now) server->tick(now);
    server->drain(queue_, now);
    for (const auto& item : queue_.items()) {
      const std::string bytes = std::string(item.head) + std::string(item.body);
      if (!datagram::is_native(bytes)) plain.push_back(bytes);
      if (random_.unit() < loss) continue;
      for (auto& m : members) {
        if (m->endpoint == item.to->peer) m->member.on_datagram(Endpoint(), bytes, now);
      }
    }
    queue_.clear();
  }

  AnswerPolicy policy_{{}, {}, {}};
  std::uint64_t seed_ = 0;
  RandomEngine random_{42};
  datagram::OutputQueue queue_;
};

}  // namespace netkit::chat::test
