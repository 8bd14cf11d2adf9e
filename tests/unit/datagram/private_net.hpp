// A server and clients with keys, and a wire between them that loses, doubles, reorders and
// changes addresses, all on a clock and dice of the test's own.
#pragma once

#include "lossy_net.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <netkit/datagram/private_client.hpp>
#include <netkit/datagram/private_server.hpp>

namespace netkit::datagram {

class PrivateNet : public SimulatedWire {
 protected:
  // The server's application: RecordingServer behind a PrivateServer.
  struct Serving final : Driver::Handler, PrivateServer::Handler {
    Serving(PrivateNet& of, std::optional<PskKeys> keys, bool takes_plain)
        : net(of), server(of.options, of.dice(), application) {
      PrivateServer::Options given;
      given.keys = std::move(keys);
      given.plain = takes_plain;
      PrivateServer::Handler& self = *this;
      gate = std::make_unique<PrivateServer>(given, of.dice(), *this, self);
    }
    void on_datagram(const Path& from, std::string_view datagram, TimePoint at) override {
      if (is_native(datagram)) return server.on_datagram(from, datagram, at);
      plain.emplace_back(datagram);
    }
    void tick(TimePoint at) override { server.tick(at); }
    TimePoint next_deadline() const override { return server.next_deadline(); }
    bool drain(OutputQueue& queue, TimePoint at) override { return server.drain(queue, at); }
    void on_refused(const Endpoint&, std::string_view why) override { refused.emplace_back(why); }
    void on_revoked(std::uint32_t owner) override {
      for (const SessionRef session : std::vector(application.sessions)) {
        if (server.owner(session) != owner) continue;
        server.close(session, "revoked", ByeCode::forbidden);
        std::erase(application.sessions, session);
      }
    }
    using Driver::Handler::on_refused;

    PrivateNet& net;
    RecordingServer application;
    Server server;
    std::unique_ptr<PrivateServer> gate;
    std::vector<std::string> refused;
    std::vector<std::string> plain;
  };

  struct Member final : Driver::Handler, PrivateClient::Handler {
    Member(PrivateNet& of, std::optional<PskIdentity> identity)
        : net(of), client(of.options, of.server_address, of.dice(), events) {
      PrivateClient::Handler& self = *this;
      if (identity) {
        gate = std::make_unique<PrivateClient>(*identity, of.client_options, *this, self);
      }
    }
    Driver::Handler& driven() { return gate ? *gate : static_cast<Driver::Handler&>(*this); }
    void begin() {
      if (gate) gate->begin(net.now);
      client.connect("hello", net.now);
    }
    void on_datagram(const Path& from, std::string_view datagram, TimePoint at) override {
      client.on_datagram(datagram, at, from.peer);
    }
    void tick(TimePoint at) override { client.tick(at); }
    TimePoint next_deadline() const override { return client.next_deadline(); }
    bool drain(OutputQueue& queue, TimePoint at) override { return client.drain(queue, at); }
    void on_next_address(TimePoint at) override { client.connect("hello", at); }
    void on_not_secured(const Loss& why) override { losses.push_back(why); }

    PrivateNet& net;
    Endpoint address;
    RecordingClient events;
    Client client;
    std::unique_ptr<PrivateClient> gate;
    std::vector<Loss> losses;
  };

  static PskKeys keys_of(const std::string& text) { return PskKeys::parse(text, "keys"); }
  static std::string line_of(const std::string& name, char digit = '1') {
    return name + ":" + std::string(64, digit) + "\n";
  }
  static PskIdentity identity_of(const std::string& name, char digit = '1') {
    return choose_identity(keys_of(line_of(name, digit)), name, "keys");
  }

  Serving& serve(std::optional<PskKeys> keys, bool takes_plain = true) {
    serving = std::make_unique<Serving>(*this, std::move(keys), takes_plain);
    return *serving;
  }
  Member& join(std::optional<PskIdentity> identity) {
    members.push_back(std::make_unique<Member>(*this, std::move(identity)));
    members.back()->address = endpoint(static_cast<std::uint16_t>(40000 + members.size()));
    members.back()->begin();
    return *members.back();
  }
  bool say(Member& member, const std::string& text) { return member.client.send(text); }
  void push(const std::string& text) {
    for (const SessionRef session : serving->application.sessions) {
      serving->server.send(session, text);
    }
  }

  void run(Duration span) {
    run_until([] { return false; }, span);
  }
  bool run_until(const std::function<bool()>& done, Duration span = 30s) {
    const TimePoint end = now + span;
    flush();
    while (!done()) {
      const TimePoint next = next_event();
      if (next > end) {
        now = end;
        return done();
      }
      now = std::max(now, next);
      deliver_due();
      if (serving) serving->gate->tick(now);
      for (auto& member : members) {
        if (member->driven().next_deadline() <= now) member->driven().tick(now);
      }
      flush();
    }
    return true;
  }
  void flush() {
    OutputQueue queue;
    if (serving) {
      while (serving->gate->drain(queue, now)) continue;
      for (const auto& item : queue.items()) send(server_address, item.to->peer, item);
    }
    for (auto& member : members) {
      OutputQueue own;
      while (member->driven().drain(own, now)) continue;
      for (const auto& item : own.items()) send(member->address, server_address, item);
    }
  }
  void send(const Endpoint& from, const Endpoint& to, const OutputQueue::Item& item) {
    const std::string bytes = bytes_of(item);
    if (tap) tap(from, to, bytes);
    if (!blocked || !blocked(from, bytes)) transmit(from, to, bytes);
  }
  void inject(const Endpoint& from, const Endpoint& to, const std::string& bytes) {
    in_transit.emplace(now, Transit{from, to, bytes});
  }

  TimePoint next_event() {
    TimePoint next = next_arrival();
    if (serving) next = std::min(next, serving->gate->next_deadline());
    for (auto& member : members) next = std::min(next, member->driven().next_deadline());
    return next;
  }
  void deliver_due() {
    arrive([this](const Transit& one) {
      if (one.to == server_address && serving) {
        serving->gate->on_datagram(one.from, one.bytes, now);
      }
      for (auto& member : members) {
        if (member->address == one.to) {
          member->driven().on_datagram(server_address, one.bytes, now);
        }
      }
    });
  }

  Options options = [] {
    Options made;
    made.max_datagram -= kPrivateOverhead;
    return made;
  }();
  PrivateClient::Options client_options;
  std::unique_ptr<Serving> serving;
  std::vector<std::unique_ptr<Member>> members;
  std::function<void(const Endpoint& from, const Endpoint& to, const std::string& bytes)> tap;
  std::function<bool(const Endpoint& from, const std::string& bytes)> blocked;  // is lost
};

}  // namespace netkit::datagram
