// `netkit broadcast listen`: prints and answers what arrives by broadcast or multicast.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/udp_server.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/record/template.hpp>

namespace netkit::broadcast {

class ListenCommand final : public Command, private UdpServer::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override;
  void on_refused(const ReceivedMessage& message, Refusal why) override;

  UdpServer::Options server_options() const;
  void add_broadcast_sockets(ServerSockets& sockets, const UdpOptions& options);
  void join_groups(const std::vector<Interface>& all);
  bool join(const IpAddress& group, const std::vector<Interface>& all, std::string& failure);
  void on_interfaces_changed();
  std::vector<Interface> wanted_interfaces() const;
  // Prints a datagram; false if it is not wanted.
  bool take(const ReceivedMessage& message, std::string_view datagram, bool answered);
  bool is_wanted(const ReceivedMessage& message) const;
  void fill(Totals& totals) const;

  AddressSpec address_;
  std::vector<IpAddress> groups_;
  std::optional<IpAddress> source_;
  std::vector<std::string> interface_names_;
  std::optional<Template> reply_;
  AnswerPolicy::Options policy_;
  bool hex_ = false;
  std::uint64_t count_ = 0;  // 0: without end

  Host* host_ = nullptr;
  std::vector<Interface> interfaces_;  // that were named
  unsigned own_interface_ = 0;         // of the one address that it is bound to; 0: none
  std::vector<UdpSocket> members_;     // the server's sockets once more, to join groups by
  std::set<std::pair<IpAddress, unsigned>> joined_;  // groups, by interface
  std::optional<InterfaceWatch> changes_;
  std::optional<UdpServer> server_;
  std::uint64_t received_ = 0;
  std::uint64_t ignored_ = 0;     // came by another interface than --interface
  std::uint64_t unanswered_ = 0;  // not answered, for safety's sake
  std::string rendered_;
};

}  // namespace netkit::broadcast
