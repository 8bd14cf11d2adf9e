// Connections of a client, one after another: failover, reconnecting, TLS.
#pragma once

#include <frame/failover.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/net/tls.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/reconnect.hpp>

namespace netkit::frame {

struct DialerOptions {
  std::vector<AddressSpec> addresses;
  Duration connect_timeout = std::chrono::seconds(10);  // for each address, the TLS handshake too
  std::uint64_t reconnect = Reconnect::kNever;          // rounds after one that failed, or a drop
  Backoff::Options backoff;
  TcpOptions tcp;
  std::optional<TlsClientOptions> tls;
};

// What a connection that ended so ends with; a certificate may be refused after the handshake, too.
ExitStatus status_of_end(int error, std::string_view reason);

// [loop] Makes a connection to the first address of the list that gives one, and again whenever it
// was lost, as Failover and Reconnect have it. Says what happens on stderr.
class Dialer final : private ByteStream::Handler {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // A connection is there, its TLS handshake done; events go to the handler from now on.
    virtual void on_dialed(std::unique_ptr<ByteStream> stream) = 0;
    // There will be no further attempt. `error` is one sentence.
    virtual void on_gave_up(ExitStatus status, const std::string& error) = 0;
  };

  // `handler` and `owner` must outlive it. Throws what TlsContext::client() throws.
  Dialer(Host& host, DialerOptions options, ByteStream::Handler& handler, Owner& owner);

  void start();
  // The connection that was given is no more; `reason` and `status` are for the case that there is
  // to be none after it.
  void lost(const std::string& reason, ExitStatus status);
  // No further attempts and no callbacks.
  void stop();

  // The address that is connected, or was tried last, as the user gave it.
  std::string address() const { return options_.addresses[failover_.current()].to_string(); }
  std::uint64_t connections() const { return connections_; }
  std::uint64_t failures() const { return failures_; }

 private:
  void on_data(ByteStream& stream, std::string_view data) override;
  void on_end(ByteStream& stream) override;
  void on_closed(ByteStream& stream, int error, std::string_view reason) override;
  void on_high_water(ByteStream& stream) override { handler_.on_high_water(stream); }
  void on_low_water(ByteStream& stream) override { handler_.on_low_water(stream); }

  void connect();
  void on_connected(ConnectResult result);
  void on_ready();
  void failed(ExitStatus status, const std::string& error);
  bool try_next(ExitStatus status, const std::string& what);

  Host& host_;
  DialerOptions options_;
  ByteStream::Handler& handler_;
  Owner& owner_;
  std::shared_ptr<TlsContext> tls_;
  Failover failover_;
  Reconnect reconnect_;
  RandomEngine random_;
  TcpConnector connector_;
  std::unique_ptr<ByteStream> stream_;  // during its TLS handshake
  Timer timer_;                         // of the delay, or of the handshake
  std::uint64_t connections_ = 0;
  std::uint64_t failures_ = 0;
  bool given_ = false;     // the owner has a connection
  bool reported_ = false;  // the failures since it was lost have been said
};

}  // namespace netkit::frame
