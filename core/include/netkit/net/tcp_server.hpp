// The TCP server of every command: everything between listen(2) and the bytes of a peer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

class TcpListener;
class OtherListener;

// [loop] Accepts in bounded batches within the access rules and limits, makes the stream (TLS if
// configured), keeps the one list of connections, does not read from a peer that does not read its
// answers or is over its rate, and ends connections that are idle. What is exchanged on a
// connection is up to the class that the command derives from Connection.
//
// Running out of descriptors is survived, counted and reported: what waits is accepted later, and
// the loop does not turn meanwhile.
class NETKIT_API TcpServer {
 public:
  struct Options {
    AccessList access{};
    // At most three quarters of them from one address, so that others have a place; loopback, where
    // a proxy's clients come from, may have all.
    std::size_t max_clients = 65'536;
    // The option named on stderr; empty: refused peers are not reported.
    std::string_view limit_option = "--max-clients";
    // How many above max_clients are still accepted, only to be told that the server is full
    // (Connection::over_limit); those above are closed at once.
    std::size_t told_when_full = 0;
    // Servers of several loops that share one limit count here; it outlives them all.
    std::atomic<std::size_t>* shared_count = nullptr;
    double rate = 0;                 // reads a second of one source; 0: no limit
    Duration idle_timeout = kNever;  // how long a peer may be silent
    // How long a TLS handshake may take, and the option that says so.
    Duration handshake_timeout = std::chrono::seconds(10);
    std::string_view handshake_option{};
    // Of the data queued for a peer: above `high_water` it is no longer read from, at `low_water`
    // it is again.
    std::size_t low_water = std::size_t{256} << 10U;
    std::size_t high_water = std::size_t{1} << 20U;
    // Bytes that may be queued for all peers together: the less of it is left, the less may be
    // queued for one before it is no longer read from, down to 16 KiB.
    std::size_t all_waiting = SIZE_MAX;
    // False if a peer's input does not produce output to it, as in a proxy: it is read from
    // regardless of its queue.
    bool pause_backed_up = true;
    TcpOptions tcp{.keepalive = true};
    std::shared_ptr<StreamMaker> tls{};  // none: plain TCP
  };

  struct Counters {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  // there was no room, or no descriptor
    std::uint64_t denied = 0;   // by the access list
    std::uint64_t idle = 0;     // ended by the idle time-out, or for not taking what was left
    std::uint64_t delayed = 0;  // reads that were over the rate
    std::uint64_t handshake_timeouts = 0;
  };

  class Connection;
  // Makes the command's object for a peer. Null: the connection is closed at once.
  using MakeConnection = std::function<std::unique_ptr<Connection>(const Endpoint& peer)>;

  // Raises the limit on descriptors as far as max_clients needs it, so it is to be made before
  // threads are started. `loop` and `log` outlive it.
  TcpServer(EventLoop& loop, const Log& log, Options options, MakeConnection make);
  // Closes what is open; no on_gone() is called.
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  // Binds everything that `address` means, or takes the sockets that were passed
  // (open_server_sockets()), and accepts from then on. On another transport a connection is one of
  // a unix socket; a sender of datagrams, until it is silent for a minute; or the serial line,
  // which is reopened whenever it was lost. Throws SystemError, Error.
  void listen(const AddressSpec& address);
  // The same with a socket that listens already.
  void listen(FileDescriptor listening);
  // A connection that was not accepted from a socket: counted and limited as those are. False where
  // there is no room.
  using MakeStream = std::function<std::unique_ptr<ByteStream>(ByteStream::Handler&)>;
  bool adopt(const Endpoint& peer, const MakeStream& make);
  // What to pass to Host::ready(): `tcp 127.0.0.1:9089`, a line a socket.
  std::vector<std::string> descriptions() const;
  std::vector<Endpoint> locals() const;
  // No more connections are accepted; those that are here stay.
  void stop_accepting();

  // Calls back once, when the last connection has left, or before this returns where there is none.
  // The callback must not destroy the server.
  void when_empty(std::function<void()> callback);

  // Calls visit(Client&) with each connection, in no order. It may close() or abort() the one that
  // it is given.
  template <typename Client = Connection, typename Visit>
  void for_each(Visit&& visit);
  std::size_t size() const { return connections_.size(); }  // those over the limit as well
  bool empty() const { return connections_.empty(); }
  const Counters& counters() const { return counters_; }
  const Options& options() const { return options_; }
  EventLoop& loop() { return loop_; }
  const Log& log() const { return log_; }
  // For all log lines that peers can cause at will.
  void notice(std::string_view line) { limited_log_.notice(line); }

 private:
  bool admit(FileDescriptor socket, const Endpoint& peer, const MakeStream& make);
  void add(FileDescriptor socket, const Endpoint& peer, const MakeStream& make, bool over_limit);
  void take_back(Connection* connection, const Endpoint& peer, bool over_limit);
  bool take_place();
  std::size_t fair_high_water();
  void give_place_back(const Endpoint& peer);
  void on_exhausted(int error);
  std::unique_ptr<Connection> remove(Connection& connection, const Endpoint& peer);

  EventLoop& loop_;
  const Log& log_;
  Options options_;
  MakeConnection make_;
  LimitedLog limited_log_;
  SourceRateLimiter limiter_;
  SourceShares shares_;
  Counters counters_;
  std::function<void()> when_empty_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t waiting_ = 0;  // for all peers, as of when each was heard last or all were asked
  TimePoint asked_{};        // when all were
  std::size_t places_ = 0;   // taken by those that are not over the limit
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  std::vector<std::unique_ptr<OtherListener>> others_;
};

// One peer of a TcpServer, which owns it. It is destroyed right after on_gone(), or with the
// server. What is protected is called by the server, on the loop; it may write, close and abort.
class NETKIT_API TcpServer::Connection : private ByteStream::Handler {
 public:
  Connection() = default;
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // All of these from on_open() on.
  Endpoint peer() const { return stream_->peer(); }
  ByteStream& stream() { return *stream_; }
  // Both log what they write. They may find that the connection is lost, which on_gone() reports
  // later.
  void write(std::string_view bytes);
  void write(const SharedPayload& payload);
  // Sends what is queued, then closes. What is received meanwhile is dropped. A peer that does not
  // accept an eighth of it every minute is closed.
  void close();
  // Closes at once, without what is queued. on_gone() comes before it returns; the connection is
  // destroyed after this turn.
  void abort();
  void reset();  // the same by ByteStream::reset()
  bool closing() const { return closing_; }
  // More than high_water bytes wait for the peer. Code that answers several requests of one read
  // stops here, keeps the rest, and continues in on_drained().
  bool backed_up() const { return (held_ & kBackedUp) != 0; }
  // Reading from the peer is paused, by the command or by the rate limit, so it may not be as
  // silent as it seems.
  bool is_held() const { return (held_ & (kPaused | kOverRate)) != 0; }
  // There is no room for it: tell the peer so and close().
  bool over_limit() const { return over_limit_; }
  // For reasons of the command; counted together with the server's.
  void pause_reading() { hold(kPaused); }
  void resume_reading() { release(kPaused); }
  // Whether -vvv shows what goes either way, or only how much it is: for what may hold secrets.
  void show_bytes(bool shown) { shows_bytes_ = shown; }

 protected:
  TcpServer& server() { return *server_; }

  // It can be written to. `alpn` is the protocol that TLS agreed on, empty without.
  virtual void on_open(std::string_view /*alpn*/) {}
  // Bytes as they came, which lie in the loop's shared buffer until this returns.
  virtual void on_received(std::string_view data) = 0;
  virtual void on_half_closed() { close(); }  // the peer has finished writing
  // The connection has ended. `error` is an errno, 0 after close() and abort(); `reason` says more,
  // such as why TLS failed. The stream can still name its peer, but not be written to.
  virtual void on_gone(int /*error*/, std::string_view /*reason*/) {}
  virtual void on_backed_up() {}
  virtual void on_drained() {}  // down to low_water

 private:
  friend class TcpServer;
  enum Hold : std::uint8_t { kBackedUp = 1, kOverRate = 2, kPaused = 4 };

  void on_data(ByteStream& stream, std::string_view data) final;
  void on_end(ByteStream& stream) final;
  void on_closed(ByteStream& stream, int error, std::string_view reason) final;
  void on_high_water(ByteStream& stream) final;
  void on_low_water(ByteStream& stream) final;

  void start(TcpServer& server, FileDescriptor socket, const Endpoint& peer,
             const MakeStream& make);
  void become_open(std::string_view alpn);
  void log_bytes(WireDirection direction, std::string_view bytes);
  void hold(Hold why);
  void release(Hold why);
  void hold_to_rate();
  void count_waiting();
  void take_fair_share();
  void on_deadline();
  std::unique_ptr<Connection> leave(int error, std::string_view reason);

  TcpServer* server_ = nullptr;
  std::unique_ptr<ByteStream> stream_;
  Timer deadline_;  // of the handshake, then of the peer's silence, then of its taking the rest
  Timer rate_;      // until which it is over its rate
  TimePoint last_;  // when data was last received, where that matters
  std::size_t waiting_ = 0;     // of TcpServer::waiting_
  std::size_t high_water_ = 0;  // of the stream
  std::uint32_t slot_ = 0;
  std::uint8_t held_ = 0;
  bool open_ = false;
  bool closing_ = false;
  bool over_limit_ = false;
  bool shows_bytes_ = true;
};

template <typename Client, typename Visit>
void TcpServer::for_each(Visit&& visit) {
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i < connections_.size()) visit(static_cast<Client&>(*connections_[i]));
  }
}

}  // namespace netkit
