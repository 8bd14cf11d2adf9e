// `netkit chat serve`.
#pragma once

#include <chat/history.hpp>
#include <chat/room_server.hpp>
#include <chat/room_store.hpp>
#include <chat/web_server.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/server_privacy.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::chat {

class ServeCommand final : public Command,
                           private RoomServer::Handler,
                           private datagram::ServerPrivacy::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) override;
  void on_closed() override;
  Room::Handler::Placing place(const Message& message, const Endpoint& peer, std::uint64_t instance,
                               std::uint64_t request) override;
  void on_name_taken(const std::string& name, std::uint64_t instance, bool proved) override;
  void on_name_free(const std::string& name, bool quit) override;
  bool holds_sync(std::uint64_t instance) override;
  bool holds_who(std::uint64_t instance) override;
  bool tells_elsewhere(std::string_view line, const Message& from, std::uint64_t instance,
                       std::uint64_t request) override;
  const std::string& identity(std::uint32_t owner) const override {
    return privacy_->identity(owner);
  }
  void on_revoked(std::uint32_t owner) override { room_->revoke(owner); }
  const AnswerPolicy& policy() const override { return driver_->policy(); }
  WallTime wall() const override { return host_->clock().wall(); }
  void open_sockets();
  void drive();
  void listen();
  void open_store();
  void stop();
  void show(Totals& totals) const;
  void open_page(const Endpoint& room, std::vector<FileDescriptor> sockets);
  void show_way_to_page() const;

  AddressSpec address_;
  std::optional<RoomServer::Options> options_;
  AnswerPolicy::Options policy_;
  std::optional<store::Stream::Options> store_options_;
  datagram::ServerPrivacy::Options private_;
  std::string history_path_;
  std::optional<std::string> web_;  // an address; empty: that of the room
  std::vector<std::string> web_hosts_;
  std::size_t max_clients_ = 0;  // of the page
  bool notices_ = true;
  Host* host_ = nullptr;
  std::unique_ptr<History> history_;
  std::unique_ptr<EventPrinter> printer_;
  std::unique_ptr<RoomServer> room_;
  std::unique_ptr<datagram::ServerPrivacy> privacy_;
  std::unique_ptr<datagram::Driver> driver_;
  std::vector<UdpSocket> sockets_;  // that have not been given to the driver
  std::vector<std::string> descriptions_;
  std::unique_ptr<RoomStore> store_;  // none: the room is this server's alone
  std::unique_ptr<WebServer> page_;
};

}  // namespace netkit::chat
