// A server, some clients and a wire between them that loses, doubles, reorders and delays, all on a
// clock and dice of the test's own.
#pragma once

#include "datagram/chunk.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/server.hpp>

namespace netkit::datagram {

using namespace std::chrono_literals;

struct Heard {
  std::uint64_t record = 0;
  std::string text;
  friend bool operator==(const Heard&, const Heard&) = default;
};

inline Endpoint endpoint(std::uint16_t port, std::string_view host = "10.0.0.1") {
  return *Endpoint::parse(std::string(host) + ":" + std::to_string(port));
}

// What the server's application saw and decides.
class RecordingServer final : public Server::Handler {
 public:
  Verdict on_connect(SessionRef session, const Endpoint&, std::string_view payload) override {
    if (refuse) return Verdict::reject(RejectCode::taken, "taken: " + std::string(payload));
    sessions.push_back(session);
    names.emplace_back(payload);
    if (connected) connected(session);
    return Verdict::accept("welcome " + std::string(payload));
  }
  void on_message(SessionRef session, std::uint64_t record, std::string_view text) override {
    heard.push_back({record, std::string(text)});
    if (message) message(session, text);
  }
  void on_gap(SessionRef, const Gap& gap) override { gaps.push_back(gap); }
  void on_left(SessionRef session, LeftReason reason, std::string_view text) override {
    std::erase(sessions, session);
    left.push_back(std::string(to_string(reason)) + (text.empty() ? "" : " ") + std::string(text));
  }

  bool refuse = false;
  std::function<void(SessionRef)> connected;
  std::function<void(SessionRef, std::string_view)> message;
  std::vector<SessionRef> sessions;
  std::vector<std::string> names;
  std::vector<Heard> heard;
  std::vector<Gap> gaps;
  std::vector<std::string> left;
};

class RecordingClient final : public Client::Handler {
 public:
  void on_connected(std::string_view payload) override {
    log.push_back("connected " + std::string(payload));
    if (connected) connected();
  }
  void on_rejected(std::uint16_t code, std::string_view text) override {
    log.push_back("rejected " + std::to_string(code) + " " + std::string(text));
  }
  void on_message(std::uint64_t record, std::string_view text) override {
    heard.push_back({record, std::string(text)});
    if (message) message(text);
  }
  void on_gap(const Gap& gap) override { gaps.push_back(gap); }
  void on_left(LeftReason reason, std::string_view text) override {
    log.push_back("left " + std::string(to_string(reason)) + (text.empty() ? "" : " ") +
                  std::string(text));
    if (left) left();
  }

  std::function<void()> connected;
  std::function<void(std::string_view)> message;
  std::function<void()> left;
  std::vector<std::string> log;
  std::vector<Heard> heard;
  std::vector<Gap> gaps;
};

// What is on its way between endpoints, and what becomes of it, on a clock and dice of the test's
// own.
class SimulatedWire : public ::testing::Test {
 protected:
  struct Wire {
    double loss = 0;
    double duplicate = 0;
    double reorder = 0;  // delayed by another 1 to 20 ms
    Duration delay = 500us;
  };
  struct Transit {
    Endpoint from;
    Endpoint to;
    std::string bytes;
  };

  Random dice() {
    return [this] { return random_(); };
  }
  static std::string bytes_of(const OutputQueue::Item& item) {
    EXPECT_LE(item.size(), kMaxDatagram);
    return std::string(item.head).append(item.body);
  }
  void transmit(const Endpoint& from, const Endpoint& to, const std::string& bytes) {
    if (chance(wire.loss)) return;
    for (int copy = chance(wire.duplicate) ? 2 : 1; copy > 0; --copy) {
      Duration delay = wire.delay;
      if (chance(wire.reorder)) delay += std::chrono::milliseconds(1 + random_() % 20);
      in_transit.emplace(now + delay, Transit{from, to, bytes});
    }
  }
  TimePoint next_arrival() const {
    return in_transit.empty() ? TimePoint::max() : in_transit.begin()->first;
  }
  // Calls `take(transit)` for all that has arrived by now.
  template <typename Take>
  void arrive(Take&& take) {
    while (next_arrival() <= now) {
      const Transit one = std::move(in_transit.extract(in_transit.begin()).mapped());
      take(one);
    }
  }

  std::mt19937_64 random_{42};
  Wire wire;
  TimePoint now{std::chrono::hours(1)};
  Endpoint server_address = endpoint(9000, "10.0.0.254");
  std::multimap<TimePoint, Transit> in_transit;

 private:
  bool chance(double p) {
    return p > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < p;
  }
};

class LossyNet : public SimulatedWire {
 protected:
  struct Client {
    RecordingClient events;
    Endpoint address;
    std::unique_ptr<datagram::Client> end;
    bool cut_off = false;  // nothing passes, either way
  };

  void start_server() { server = std::make_unique<Server>(options, dice(), served); }
  Client& add_client(std::string_view name = "ann") {
    clients.push_back(std::make_unique<Client>());
    Client& client = *clients.back();
    client.address = endpoint(static_cast<std::uint16_t>(40000 + clients.size()));
    client.end = std::make_unique<datagram::Client>(client_options ? *client_options : options,
                                                    server_address, dice(), client.events);
    client.end->connect(name, now);
    return client;
  }
  // One client, connected.
  Client& Connect() {
    if (!server) start_server();
    Client& client = add_client();
    RunUntil([&] { return client.end->connected(); }, 10s);
    EXPECT_TRUE(client.end->connected());
    RunUntil([&] { return heard_of(client); }, 10s);
    return client;
  }

  // The server has had something from it within its session, and may send.
  bool heard_of(const Client& client) const {
    return std::any_of(served.sessions.begin(), served.sessions.end(), [&](SessionRef session) {
      return server->contains(session) && server->peer(session) == client.address &&
             server->status(session).path.rtt > 0ns;
    });
  }

  // Messages first to last of the channel, one flush.
  void Push(int first, int last) {
    for (int i = first; i <= last; ++i) channel.append(line(i));
    const auto chunks = channel.flush();
    ring.add(chunks);
    server->broadcast(chunks);
  }
  void PushOne(std::string_view text) {
    channel.append(text);
    server->broadcast(channel.flush());
  }
  static std::string line(int i) { return "line " + std::to_string(i); }

  void Run(Duration span) {
    RunUntil([] { return false; }, span);
  }
  void RunUntil(const std::function<bool()>& done, Duration span) {
    const TimePoint end = now + span;
    flush();
    while (!done()) {
      const TimePoint next = next_event();
      if (next > end) break;
      now = std::max(now, next);
      deliver_due();
      if (server) server->tick(now);
      for (auto& client : clients) client->end->tick(now);
      flush();
      ++wake_ups;
      ASSERT_LT(wake_ups, 5'000'000) << "does not come to rest";
    }
    if (!done()) now = end;
  }
  void Outage(Duration span) {
    outage_until = now + span;
    Run(span);
  }

  // Every line once, in order, with its number.
  static void ExpectLines(const std::vector<Heard>& heard, int first, int last) {
    ASSERT_EQ(heard.size(), static_cast<std::size_t>(last - first + 1));
    for (int i = first; i <= last; ++i) {
      const Heard& one = heard[static_cast<std::size_t>(i - first)];
      ASSERT_EQ(one.text, line(i));
      ASSERT_EQ(one.record, static_cast<std::uint64_t>(i));
    }
  }

  void flush() {
    OutputQueue queue;
    bool more = server != nullptr;
    while (more) {
      more = server->drain(queue, now, queue.size() + 64);
    }
    for (const auto& item : queue.items()) send(server_address, item.to->peer, item);
    for (auto& client : clients) {
      OutputQueue own;
      client->end->drain(own, now);
      for (const auto& item : own.items()) send(client->address, item.to->peer, item);
    }
  }
  void send(const Endpoint& from, const Endpoint& to, const OutputQueue::Item& item) {
    ++sent;
    const std::string bytes = bytes_of(item);
    if (tap) tap(from, bytes);
    if (now >= outage_until) transmit(from, to, bytes);
  }
  TimePoint next_event() const {
    TimePoint next = next_arrival();
    if (server) next = std::min(next, server->next_deadline());
    for (const auto& client : clients) next = std::min(next, client->end->next_deadline());
    return next;
  }
  void deliver_due() {
    arrive([this](const Transit& one) {
      if (one.to == server_address) {
        const bool cut = std::any_of(clients.begin(), clients.end(), [&](const auto& client) {
          return client->cut_off && client->address == one.from;
        });
        if (server && !cut) server->on_datagram(one.from, one.bytes, now);
      }
      for (auto& client : clients) {
        if (client->address == one.to && !client->cut_off) {
          client->end->on_datagram(one.bytes, now);
        }
      }
    });
  }

  Options options;
  std::unique_ptr<Options> client_options;
  TimePoint outage_until{};
  RecordingServer served;
  std::unique_ptr<Server> server;
  std::vector<std::unique_ptr<Client>> clients;
  std::function<void(const Endpoint& from, const std::string& bytes)> tap;
  Packer channel;
  ChunkRing ring{1000};
  std::size_t sent = 0;
  int wake_ups = 0;
};

}  // namespace netkit::datagram
