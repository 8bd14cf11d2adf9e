// A subscription by the native protocol.
#pragma once

#include <push/subscription.hpp>
#include <string>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/driver.hpp>
#include <netkit/loop/event_loop.hpp>
#include <netkit/util/log.hpp>

namespace netkit::push {

class NativeSubscriber final : public Subscription,
                               private datagram::Driver::Handler,
                               private datagram::Client::Handler {
 public:
  // `position` and `handler` outlive it. Throws SystemError when there is no way to the server.
  NativeSubscriber(EventLoop& loop, const Endpoint& server, std::string name,
                   const datagram::Options& options, Position& position,
                   Subscription::Handler& handler, const Log& log);
  void leave() override;
  void pause() override { client_.pause(); }
  void resume() override { client_.resume(loop_.now()); }
  std::uint64_t retransmitted() const override { return client_.counters().retransmitted; }
  std::uint64_t duplicates() const override { return client_.counters().duplicates; }

 private:
  void on_connected(std::string_view payload) override;
  void on_rejected(std::uint16_t code, std::string_view text) override;
  void on_message(std::uint64_t record, std::string_view message) override;
  void on_gap(const datagram::Gap& gap) override;
  void on_left(datagram::LeftReason reason, std::string_view text) override;

  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override { client_.tick(now); }
  TimePoint next_deadline() const override;
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;

  void on_bye(std::string_view text);
  void lose(const std::string& why, bool again, ExitStatus status);

  EventLoop& loop_;
  std::string name_;
  Position& position_;
  Subscription::Handler& handler_;
  datagram::Client client_;
  bool over_ = false;  // it has been said
  int refused_ = 0;    // ICMP errors since the server was heard last
  datagram::Driver driver_;
};

}  // namespace netkit::push
