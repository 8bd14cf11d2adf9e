// Answers the datagrams of one socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <echo/answer_policy.hpp>
#include <echo/gather_policy.hpp>
#include <echo/printer.hpp>
#include <echo/serve_settings.hpp>
#include <echo/spin_policy.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/loop_guard.hpp>
#include <netkit/net/loop_probe.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/util/log.hpp>

namespace netkit::echo {

// [loop] Reads in batches and answers each batch before it reads the next: what the socket does not
// take makes the reading wait, so that a flood ends up in the kernel's buffer and is counted there.
class UdpResponder {
 public:
  // All references outlive it.
  UdpResponder(EventLoop& loop, UdpSocket socket, const ServeSettings& settings, Printer& printer,
               const Log& log);
  void add_to(ServeCounters& counters) const;

 private:
  // A rendered reply, in arena_.
  struct Rendered {
    Endpoint peer;
    IpAddress from;
    std::size_t begin;
    std::size_t size;
  };

  void on_ready();
  bool read_batch();
  void tune(std::size_t messages, std::size_t datagrams);
  void answer(const ReceivedMessage& message);
  void queue_unchanged(const ReceivedMessage& message, std::string_view data);
  void visit_datagrams(const ReceivedMessage& message, std::string_view data);
  void render(const ReceivedMessage& message, const Message& entry);
  void queue_rendered();
  bool flush();
  void probe(const ReceivedMessage& message, std::string_view datagram);
  void on_probe_answer(const Endpoint& peer);

  EventLoop& loop_;
  UdpSocket socket_;
  const ServeSettings& settings_;
  Printer& printer_;
  const Log& log_;
  LocalNetworks networks_;
  AnswerPolicy policy_;
  LoopGuard guard_;
  LoopProbe probe_;
  DatagramReceiver receiver_;
  DatagramSender sender_;
  SpinPolicy spin_;
  GatherPolicy gather_;
  Duration pause_{};  // before the next batch
  TimePoint last_batch_;
  std::uint64_t last_wakeups_ = 0;
  std::string arena_;
  std::vector<Rendered> rendered_;
  std::uint64_t number_ = 0;  // of datagrams that were rendered or printed
  ServeCounters counters_;
  Watch watch_;
};

}  // namespace netkit::echo
