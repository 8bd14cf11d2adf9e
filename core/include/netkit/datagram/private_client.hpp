// The client's side of encryption: the layer between its socket and the native protocol.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <netkit/datagram/driver.hpp>
#include <netkit/datagram/loss.hpp>
#include <netkit/datagram/options.hpp>
#include <netkit/tls/psk.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// Makes a DTLS 1.2 handshake with the server (netkit-protocol(7), PRIVATE) before `inner` may send
// anything, and after a period of silence another one from its current address, which the session
// survives. Only authentic data reaches `inner`. Pure. [one thread]
class NETKIT_API PrivateClient final : public Driver::Handler {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // The handshake has failed, as `loss` says; begin() starts another. Called from within tick().
    virtual void on_not_secured(const Loss& loss) = 0;
  };
  struct Options {
    Duration handshake_timeout = std::chrono::seconds(10);
    Duration heartbeat = std::chrono::seconds(5);  // after two of silence another handshake is made
  };

  // `inner` and `handler` must outlive it. Throws Error where DTLS cannot be loaded.
  PrivateClient(PskIdentity identity, const Options& options, Driver::Handler& inner,
                Handler& handler);
  ~PrivateClient() override;
  PrivateClient(const PrivateClient&) = delete;
  PrivateClient& operator=(const PrivateClient&) = delete;

  // There is a new path to the server. Once it is secure, `inner` gets on_next_address(), as
  // nothing that it has sent before has left.
  void begin(TimePoint now);

  void on_datagram(const Path& from, std::string_view datagram, TimePoint now) override;
  void tick(TimePoint now) override;
  TimePoint next_deadline() const override;
  bool drain(OutputQueue& queue, TimePoint now) override;
  void on_refused(const Endpoint& to, int error) override;
  void on_next_address(TimePoint now) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::datagram
