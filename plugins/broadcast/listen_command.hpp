// `netkit broadcast listen`: what comes by broadcast or multicast, and answers to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/loop_guard.hpp>
#include <netkit/net/loop_probe.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/record/template.hpp>

namespace netkit::broadcast {

inline constexpr std::string_view kHeardRecord = "datagram";

struct ListenCounters {
  std::uint64_t received = 0;
  std::uint64_t ignored = 0;     // came by another interface than --interface
  std::uint64_t unanswered = 0;  // not answered, for safety's sake
};

class ListenCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  struct Listener {
    UdpSocket socket;
    Endpoint local;
    DatagramReceiver receiver;
    DatagramSender sender;
    std::unique_ptr<LoopGuard> guard;
    std::unique_ptr<LoopProbe> probe;
    Watch watch;
  };

  void add_listener(UdpSocket socket);
  void join_groups(Listener& listener);
  void on_ready(Listener& listener);
  void on_message(Listener& listener, const ReceivedMessage& message);
  void answer(Listener& listener, const ReceivedMessage& message, const Record& record);
  bool may_answer(const Listener& listener, const Endpoint& peer);
  bool by_wanted_interface(unsigned index) const;
  void fill(Totals& totals) const;

  AddressSpec address_;
  std::vector<IpAddress> groups_;
  std::optional<IpAddress> source_;
  std::vector<std::string> interface_names_;
  std::optional<Template> reply_;
  bool any_port_ = false;
  std::uint64_t count_ = 0;  // 0: without end

  Host* host_ = nullptr;
  std::vector<Interface> interfaces_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  LocalNetworks networks_;
  ListenCounters counters_;
  std::string rendered_;
};

}  // namespace netkit::broadcast
