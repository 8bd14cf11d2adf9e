// Sinks that send a datagram per record: `udp:`, `broadcast:`, `multicast:`.
#pragma once

#include "record/formatter.hpp"
#include "record/sink.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// Sends the batch of one turn together. What the kernel does not take at once is dropped and
// counted: a sink never waits.
class NetworkSink final : public Sink {
 public:
  // Resolves the address, which may block. Throws Error.
  NetworkSink(const SinkSpec& spec, std::size_t number, std::unique_ptr<Formatter> formatter,
              const EventLoop& loop, const Log& log);
  void take(const Record& record) override;
  void flush() override;
  void add_totals(Totals& totals) const override;
  bool has_left_out() const override { return left_out() > 0; }
  void refuse_loops(std::span<const Endpoint> locals) const override;

 private:
  void refresh_targets();
  std::uint64_t left_out() const { return too_long_ + sender_.counters().too_big; }
  void say_what_is_left_out();
  std::uint64_t dropped() const;

  std::string target_;  // as it was typed
  SinkTotals totals_;
  std::unique_ptr<Formatter> formatter_;
  const EventLoop& loop_;
  const Log& log_;
  Endpoint address_;
  bool to_all_networks_;
  UdpSocket socket_;
  DatagramSender sender_;
  std::vector<BroadcastTarget> targets_;
  TimePoint targets_until_ = TimePoint::min();
  std::string arena_;    // the datagrams of this turn; never grows, as the sender refers to it
  std::string scratch_;  // the one that is being made
  std::uint64_t too_long_ = 0;
  bool said_ = false;  // that a record was too long
};

}  // namespace netkit
