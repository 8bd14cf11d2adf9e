// `netkit push serve`: the hub, its sockets and its sources.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <push/control.hpp>
#include <push/hub.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/server_privacy.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/answer_policy.hpp>
#include <netkit/net/interfaces.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/record/source.hpp>
#include <netkit/store/stream.hpp>
#include <netkit/tls/tls.hpp>

namespace netkit::push {

class ServeCommand final : public Command,
                           private Hub::Handler,
                           private datagram::ServerPrivacy::Handler,
                           private Sources::Handler,
                           private Publishing,
                           private store::Stream::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  // A publisher's record that waits until no subscriber lags.
  struct Held {
    std::string topic;
    std::string text;
    Answer answer;
  };

  void on_subscribed(const Subscriber& subscriber) override;
  void on_unsubscribed(const Subscriber& subscriber, std::string_view why,
                       std::uint64_t undelivered) override;
  void on_full(const Endpoint& peer, std::string_view why) override;
  const std::string& identity(std::uint32_t owner) const override {
    return privacy_->identity(owner);
  }
  bool is_identity(std::string_view name) const override { return privacy_->is_identity(name); }
  void on_revoked(std::uint32_t owner) override { hub_->revoke(owner); }
  void on_keys(const PskKeys& keys) override;
  const AnswerPolicy& policy() const override { return driver_->policy(); }
  void on_not_sent(const Endpoint& to, int error) override;

  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override { ended_ = !keep_open_; }
  bool on_source_failed(ExitStatus status, const std::string& error) override;

  std::string identity_of(const ByteStream& stream) const override;
  std::string why_closed(const Endpoint& peer, std::string_view identity) const override;
  std::string why_refused(const Endpoint& peer, std::string_view identity,
                          std::size_t length) override;
  void publish(std::string_view topic, std::string_view text, Answer answer) override;

  void on_store_open() override;
  void on_lost_entries(std::uint64_t from, std::uint64_t to) override { hub_->lose(from, to); }
  void on_stored(std::uint64_t ticket) override;
  void on_refused(std::uint64_t ticket, std::string_view why) override;
  void on_last_entry(const store::Entry& entry) override;
  void on_entry(const store::Entry& entry, std::uint64_t ticket) override;
  void on_store_failed(ExitStatus status, const std::string& error) override;

  void open_sockets();
  void drive();
  void listen();
  void open_store();
  bool deliver(std::string_view topic, std::string_view text, std::uint64_t number);
  void take(std::string_view topic, std::string_view text, Answer answer);
  bool must_hold() const;
  void hold(std::string_view topic, std::string_view text, Answer answer);
  void take_held();
  void say_too_long(std::size_t size);
  void leave();
  std::unique_ptr<TcpServer> make_control();
  void end_turn();
  void steer_sources();
  bool must_hold_sources();
  void check_end();
  void stop();
  void say_nobody();
  void emit(std::string_view type, const Subscriber& subscriber, std::string_view why);
  void show(Totals& totals) const;

  AddressSpec address_;
  Hub::Options hub_options_;
  AnswerPolicy::Options policy_;
  datagram::ServerPrivacy::Options private_;
  std::string topic_;                                        // of what the sources give
  AnswerPolicy::Plain accept_ = AnswerPolicy::Plain::local;  // whose records are taken
  std::set<std::string, std::less<>> publishers_;            // with keys; none: all of them
  LocalNetworks networks_;
  std::size_t min_subscribers_ = 0;
  std::size_t max_clients_ = 0;
  bool keep_open_ = false;
  std::optional<store::Stream::Options> store_options_;
  Host* host_ = nullptr;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<datagram::ServerPrivacy> privacy_;
  std::unique_ptr<datagram::Driver> driver_;
  std::shared_ptr<TlsContext> control_tls_;  // none: without keys
  std::unique_ptr<TcpServer> control_;
  std::unique_ptr<Sources> sources_;
  ServerSockets sockets_;  // that have not been given to the driver and the control channel
  std::vector<std::string> descriptions_;
  std::unique_ptr<store::Stream> store_;  // none: records are this server's alone
  Timer grace_;                           // the end of what a laggard is given
  std::size_t together_ = 1;              // records that are sent at once, at most
  std::size_t bytes_together_ = 1;
  bool started_ = false;  // enough subscribers were there
  bool ended_ = false;    // the sources have, and with them all
  bool finishing_ = false;
  std::map<std::uint64_t, Answer> publishing_;  // by their tickets
  std::deque<Held> held_;
  std::size_t held_bytes_ = 0;
  bool stopping_ = false;                 // as soon as the store has what was published
  ExitStatus status_ = ExitStatus::done;  // that the end has, and why
  std::string error_;
  bool said_nobody_ = false;                   // is subscribed
  TimePoint silent_until_ = TimePoint::min();  // about records that are too long
  Hook turn_;
};

}  // namespace netkit::push
