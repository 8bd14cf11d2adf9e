// `netkit chat serve`.
#pragma once

#include <chat/history.hpp>
#include <chat/room_server.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::chat {

class ServeCommand final : public Command, private RoomServer::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) override;
  void on_closed() override { host_->finish(ExitStatus::done); }
  const AnswerPolicy& policy() const override { return driver_->policy(); }
  WallTime wall() const override { return host_->clock().wall(); }
  void show(Totals& totals) const;

  AddressSpec address_;
  std::optional<RoomServer::Options> options_;
  AnswerPolicy::Options policy_;
  std::string history_path_;
  bool notices_ = true;
  Host* host_ = nullptr;
  std::unique_ptr<History> history_;
  std::unique_ptr<EventPrinter> printer_;
  std::unique_ptr<RoomServer> room_;
  std::unique_ptr<datagram::Driver> driver_;
};

}  // namespace netkit::chat
