// `netkit chat peer`.
#pragma once

#include <chat/history.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/plain_fanout.hpp>
#include <netkit/io/input.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::chat {

class PeerCommand final : public Command, public datagram::Driver::Handler, public Input::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint /*now*/) override {}
  TimePoint next_deadline() const override { return TimePoint::max(); }
  bool drain(datagram::OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_input_line(std::string_view line) override;
  void on_input_end() override;

  void say(std::string_view text);
  void change_peer(std::string_view address);
  bool can_reach(const Endpoint& peer) const;
  Endpoint reachable(const std::vector<Endpoint>& found) const;
  void list_peers();
  void help();

  static constexpr std::size_t kMaxQueue = 4096;  // datagrams; then the input waits

  AddressSpec bind_;
  std::vector<AddressSpec> peer_specs_;
  std::string history_path_;
  Duration wait_{};
  Host* host_ = nullptr;
  std::vector<sa_family_t> families_;  // of the bound sockets
  std::vector<Endpoint> peers_;
  std::unique_ptr<History> history_;
  std::unique_ptr<datagram::Driver> driver_;
  std::unique_ptr<AsyncResolver> resolver_;
  std::unique_ptr<Input> input_;
  datagram::PlainFanout out_;
  Timer end_;
  bool had_input_ = false;
  bool waiting_ = false;  // the input, for out_
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t unsendable_ = 0;
};

}  // namespace netkit::chat
