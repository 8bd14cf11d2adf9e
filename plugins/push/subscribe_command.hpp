// `netkit push subscribe`: one subscription after the other, until told to end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <push/subscription.hpp>
#include <string>
#include <string_view>

#include <netkit/datagram/link.hpp>
#include <netkit/datagram/options.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::push {

class SubscribeCommand final : public Command,
                               private datagram::Link::Handler,
                               private Subscription::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_attempt() override { subscription_->begin(host_->loop().now()); }
  void on_gave_up(ExitStatus status, const std::string& error) override { end(status, error); }
  void on_subscribed() override;
  void on_new_stream(std::uint64_t first) override;
  void on_alive() override { link_->succeeded(); }
  void on_record(std::uint64_t seq, std::string_view topic, std::string_view text) override;
  void on_caught_up() override;
  void on_gap(std::uint64_t from, std::uint64_t to) override;
  void on_ended() override;
  void on_lost(const datagram::Loss& loss) override;

  std::unique_ptr<Subscription> make_subscription();
  void read_state();
  void write_state();
  void end(ExitStatus status, const std::string& error = {});

  datagram::Link::Options server_;
  std::string name_;
  bool plain_ = false;
  std::uint64_t count_ = 0;  // 0: no end
  bool drain_ = false;
  std::string state_path_;     // empty: none
  std::uint64_t written_ = 0;  // the number in the file
  std::uint64_t last_ = 0;     // of the last record
  Hook turn_;
  datagram::Options protocol_;
  Position position_;

  Host* host_ = nullptr;
  std::unique_ptr<Subscription> subscription_;
  std::optional<datagram::Link> link_;
  bool done_ = false;  // the end is decided
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t subscribed_ = 0;
};

}  // namespace netkit::push
