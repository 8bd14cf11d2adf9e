// A client's side of privacy: the layer between its socket and what speaks the native protocol.
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

// Shakes hands with the server by DTLS 1.2 (netkit-protocol(7), PRIVATE) before `inner` may say a
// word, and when nothing has been heard for a while once more from where it is, under which the
// session continues. Nothing that is not authentic reaches `inner`. Pure. [one thread]
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
    Duration heartbeat = std::chrono::seconds(5);  // after two of silence hands are shaken again
  };

  // `inner` and `handler` must outlive it. Throws Error where DTLS cannot be loaded.
  PrivateClient(PskIdentity identity, const Options& options, Driver::Handler& inner,
                Handler& handler);
  ~PrivateClient() override;
  PrivateClient(const PrivateClient&) = delete;
  PrivateClient& operator=(const PrivateClient&) = delete;

  // There is a way to the server, and nothing is known of it. Once it is secure, `inner` gets
  // on_next_address(), as nothing that it has said before has left.
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
