// A TCP connection that is restored whenever it is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/attempts.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>

namespace netkit {

// [loop] A connection to the first of a list of servers that accepts one, with TLS if configured,
// and another one after each drop, according to the common policy (Attempts). Each outage is
// reported once.
class NETKIT_API TcpClient final : private ByteStream::Handler {
 public:
  struct Options {
    std::vector<AddressSpec> servers;                     // at least one
    Duration connect_timeout = std::chrono::seconds(10);  // each server's; its TLS handshake's too
    Reconnect::Options reconnect;
    TcpOptions tcp;
    std::shared_ptr<StreamMaker> tls;  // TlsContext::client(); none: plain TCP
    // A connection alone is not a success: confirm() says when the server has answered.
    bool is_confirmed = false;
  };

  // A callback may drop() and stop() the client, and write to its stream, but not destroy it.
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // A connection is there, its TLS handshake done: stream() returns it until on_lost(), drop() or
    // stop().
    virtual void on_connected(TcpClient& client) = 0;
    // Bytes as they came; they lie in the loop's buffer until the callback returns.
    virtual void on_data(TcpClient& client, std::string_view data) = 0;
    // The server has finished writing. The default drops the connection: "closed by the peer".
    virtual void on_end(TcpClient& client);
    // The connection is gone, also by drop(). What is returned follows the reason in parentheses
    // when it is reported; the default adds nothing.
    virtual std::string on_lost(TcpClient& client);
    // There is no connection and there will be none: no server accepts one and --reconnect allows
    // no further round, or a server does not have this side's pre-shared key, or requires one
    // (kNeedsKeyAlert). `status` is name, unreachable, permission (also if this side or the server
    // rejects a certificate) or protocol, or what drop() was given; `error` is one sentence for the
    // end of the run, which has not been reported.
    virtual void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) = 0;
    // As ByteStream::Handler has them; the defaults do nothing.
    virtual void on_high_water(TcpClient& client);
    virtual void on_low_water(TcpClient& client);
  };

  // All references outlive it.
  TcpClient(EventLoop& loop, const Log& log, Options options, Handler& handler);
  ~TcpClient() override;

  void start();
  // Closes a connection that is of no use at once, and tries to make the next one. Does nothing
  // without a connection.
  void drop(std::string_view why, ExitStatus status);
  // The server is there: for Options::is_confirmed. Further calls change nothing until on_lost().
  void confirm();
  // No further attempts and no callbacks; a connection sends what the kernel accepts, and closes.
  void stop();

  // The connection; null while there is none.
  ByteStream* stream() { return connected_ ? stream_.get() : nullptr; }
  // The server that is connected, or is tried, as the user wrote it.
  const std::string& server() const { return attempts_.server(); }
  std::uint64_t connections() const { return connections_; }

 private:
  void on_data(ByteStream& stream, std::string_view data) override;
  void on_end(ByteStream& stream) override;
  void on_closed(ByteStream& stream, int error, std::string_view reason) override;
  void on_high_water(ByteStream& stream) override;
  void on_low_water(ByteStream& stream) override;

  const AddressSpec& address() const { return options_.servers[attempts_.index()]; }
  void attempt();
  void on_socket(ConnectResult result);
  void on_ready();
  void fail(ExitStatus status, const std::string& why);
  void give_up(ExitStatus status, const std::string& why);
  void forget_stream();

  EventLoop& loop_;
  Options options_;
  Handler& handler_;
  TcpConnector connector_;
  Attempts attempts_;
  std::unique_ptr<ByteStream> stream_;  // during its TLS handshake too
  Timer handshake_timer_;
  std::unique_ptr<ByteStream> closing_;  // by stop(), until the end of the turn
  Timer closed_;
  std::uint64_t connections_ = 0;
  bool connected_ = false;
  bool heard_ = false;    // something, on this connection
  bool stopped_ = false;  // also by on_lost()
};

}  // namespace netkit
