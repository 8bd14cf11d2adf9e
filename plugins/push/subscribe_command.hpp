// `netkit push subscribe`: one subscription after the other, until told to end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <push/subscription.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/options.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/net/resolver.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/random.hpp>

namespace netkit::push {

class SubscribeCommand final : public Command, private Subscription::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_subscribed() override;
  void on_new_stream(std::uint64_t first) override;
  void on_alive() override { reconnect_->connected(host_->loop().now()); }
  void on_record(std::uint64_t seq, std::string_view text) override;
  void on_gap(std::uint64_t from, std::uint64_t to) override;
  void on_ended() override;
  void on_lost(const std::string& why, bool again, ExitStatus status) override;

  void resolve();
  void attempt(std::vector<Endpoint> servers, const std::string& error);
  void end(ExitStatus status, std::string error = {});

  AddressSpec address_;
  std::string name_;
  bool plain_ = false;
  std::uint64_t count_ = 0;  // 0: no end
  std::uint64_t reconnect_limit_ = Reconnect::kForever;
  Duration reconnect_max_{};
  datagram::Options protocol_;
  Position position_;

  Host* host_ = nullptr;
  RandomEngine random_;
  std::optional<Reconnect> reconnect_;
  std::unique_ptr<AsyncResolver> resolver_;
  std::unique_ptr<Subscription> subscription_;
  Endpoint server_;
  std::size_t attempts_ = 0;
  Timer next_;
  bool done_ = false;  // the end is decided
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t subscribed_ = 0;
  std::uint64_t duplicates_ = 0;  // of subscriptions that are over
};

}  // namespace netkit::push
