// A client's connection to its server over UDP, which is restored whenever it is lost.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/loss.hpp>
#include <netkit/datagram/private_client.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/attempts.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// [loop] What TcpClient is for streams: resolves a server's name, makes a Driver for the protocol,
// and retries and fails over by the common policy (Attempts), which reports each outage once.
// Whether a server answers, only the user of the link can tell: by succeeded() and failed().
class NETKIT_API Link final : private PrivateClient::Handler {
 public:
  struct Options {
    std::vector<AddressSpec> servers;  // at least one
    Reconnect::Options reconnect;
    UdpClient::Options udp;
    std::optional<PskIdentity> identity{};  // authenticates as this one; none: clear text
    PrivateClient::Options privacy{};
  };

  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // driver() is ready: start a session. It is a new one after each failed().
    virtual void on_attempt() = 0;
    // There will be no further attempt. `error` is one sentence for the end of the run, which has
    // not been reported.
    virtual void on_gave_up(ExitStatus status, const std::string& error) = 0;
  };

  // All references outlive it.
  Link(EventLoop& loop, const Log& log, Options options, Driver::Handler& driven, Handler& handler);

  void start();
  // The server has answered. Further calls change nothing until failed().
  void succeeded();
  // It has not answered, or is lost, as `why` says. `status` is the exit status if there is no
  // further attempt.
  void failed(std::string_view why, ExitStatus status, RetryBounds bounds = {});
  // No further attempts.
  void stop() { attempts_.stop(); }

  Driver* driver() { return driver_.get(); }  // null before there is an address to send to
  // As the user wrote it, and where it is; 0.0.0.0:0 before the first driver().
  const std::string& server() const { return attempts_.server(); }
  const Endpoint& peer() const { return driver_ ? driver_->peer() : nowhere_; }
  bool pending() const { return attempts_.pending(); }  // between failed() and the next attempt
  // A client's part of datagram_client_totals() (netkit/cli/shared_definitions.hpp); `native` holds
  // the counters of the protocol.
  void show(Totals& totals, const Counters& native) const;
  // There is an outage, which has been reported.
  bool outage() const { return attempts_.outage() || attempts_.pending(); }

 private:
  void on_not_secured(const Loss& loss) override;
  Driver::Handler& driven() const;
  void attempt();
  void connect(std::vector<Endpoint> addresses);

  EventLoop& loop_;
  Options options_;
  Driver::Handler& driven_;
  Handler& handler_;
  AsyncResolver resolver_;
  Attempts attempts_;
  std::unique_ptr<PrivateClient> private_;
  std::unique_ptr<Driver> driver_;
  Endpoint nowhere_;
  std::size_t unanswered_ = 0;  // attempts that nobody answered, so that each begins elsewhere
  bool connected_ = false;
  bool ever_connected_ = false;
  std::uint64_t kernel_drops_ = 0;  // of the drivers before
};

}  // namespace netkit::datagram
