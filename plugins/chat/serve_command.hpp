// `netkit chat serve`.
#pragma once

#include <chat/event_printer.hpp>
#include <chat/history.hpp>
#include <chat/room_server.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::chat {

class ServeCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  enum class Plain : std::uint8_t { local, all, none };
  bool may_be_plain(const Endpoint& from);
  RoomServer::Callbacks callbacks(Host& host);
  void show(Totals& totals) const;

  AddressSpec address_;
  std::optional<RoomServer::Options> options_;
  Plain plain_ = Plain::local;
  std::string history_path_;
  std::vector<Endpoint> own_;
  LocalNetworks networks_;
  std::unique_ptr<History> history_;
  std::unique_ptr<EventPrinter> printer_;
  std::unique_ptr<RoomServer> room_;
  std::unique_ptr<datagram::Driver> driver_;
};

}  // namespace netkit::chat
