#include "net/other_listeners.hpp"

#include "net/datagram_stream.hpp"
#include "net/serial_line.hpp"
#include "net/unix_socket.hpp"

#include <deque>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>
#include <utility>

#include <netkit/net/attempts.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/net/udp_server.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

// How long a sender of datagrams may be silent before it is forgotten.
constexpr Duration kSilence = 60s;
// How soon a line that was plugged in again is found.
constexpr Duration kLongestWait = 2s;
constexpr Duration kReopen = 100ms;
// Datagrams queued for the kernel; more are lost, as on the path.
constexpr std::size_t kMostUnsent = 1024;

// What a path stands for.
struct FileIdentity {
  explicit FileIdentity(const std::string& path) {
    struct stat found = {};
    if (::lstat(path.c_str(), &found) == 0) device = found.st_dev, number = found.st_ino;
  }
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;

  dev_t device = 0;
  ino_t number = 0;
};

class UnixListener final : public OtherListener {
 public:
  UnixListener(TcpServer& server, const AddressSpec& address, TcpListener::OnAccept on_accept,
               std::function<void(int)> on_exhausted)
      : path_(address.path),
        listener_(
            server.loop(), listen_unix(path_),
            [this, take = std::move(on_accept)](FileDescriptor socket, const Endpoint&) {
              take(std::move(socket), Endpoint::unix_peer(++accepted_));
            },
            std::move(on_exhausted)),
        own_(path_) {}
  ~UnixListener() override { UnixListener::close(); }

  void close() override {
    // First, as another server may have the path once nobody listens; it may have it already where
    // somebody has removed this one's.
    if (!std::exchange(closed_, true) && FileIdentity(path_) == own_) ::unlink(path_.c_str());
    listener_.close();
  }
  std::vector<std::string> descriptions() const override { return {"unix " + path_}; }

 private:
  std::string path_;
  std::uint16_t accepted_ = 0;
  bool closed_ = false;
  TcpListener listener_;
  FileIdentity own_;
};

// The line is one connection, for as long as it is there.
class SerialListener final : public OtherListener {
 public:
  SerialListener(TcpServer& server, const AddressSpec& address)
      : server_(server),
        line_(address),
        attempts_(server.loop(), server.log(),
                  {.limit = Reconnect::kForever, .maximum = kLongestWait}, {line_.to_string()},
                  [this] { try_again(); }),
        opened_(open_serial_line(line_)) {
    // With the first turn: the command is not ready for connections before.
    begin_ = server.loop().after(Duration::zero(), [this] { attempts_.start(); });
  }

  void close() override {
    closed_ = true;
    begin_.reset();
    attempts_.stop();
  }
  std::vector<std::string> descriptions() const override {
    return {"serial " + line_.path + "," + line_.serial.to_string()};
  }

 private:
  void try_again() {
    try {
      if (!opened_) opened_ = open_serial_line(line_);
    } catch (const SystemError& error) {
      attempts_.failed(error_text(error.error_number()));
      return;
    }
    attempts_.succeeded();
    server_.adopt(Endpoint::serial_peer(), [this](ByteStream::Handler& handler) {
      return make_serial_stream(server_.loop(), std::move(opened_), handler,
                                [this, alive = std::weak_ptr<int>(alive_)](bool vanished) {
                                  if (!alive.expired()) on_gone(vanished);
                                });
    });
  }

  // A connection that the command has closed is no outage.
  void on_gone(bool vanished) {
    if (closed_) return;
    if (vanished) {
      attempts_.failed(Outage::lost("no such device"));
    } else {
      begin_ = server_.loop().after(kReopen, [this] { try_again(); });
    }
  }

  TcpServer& server_;
  AddressSpec line_;
  Attempts attempts_;
  FileDescriptor opened_;
  Timer begin_;
  bool closed_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

class DatagramListener;

// A sender of datagrams to a server.
class DatagramPeer final : public DatagramStream {
 public:
  DatagramPeer(DatagramListener& listener, EventLoop& loop, const Endpoint& peer, Handler& handler);
  ~DatagramPeer() override { DatagramPeer::release(); }

  using DatagramStream::write;
  void write(std::string_view data) override;
  Endpoint local() const override;

  void take(std::string_view datagram, const DatagramSource& source) {
    last_ = loop_.now();
    source_ = source;
    deliver(datagram);
  }

 private:
  void release() override;
  void arm() {
    silence_ = loop_.at(saturating_add(last_, kSilence),
                        [this] { saturating_add(last_, kSilence) > loop_.now() ? arm() : end(0); });
  }

  DatagramListener* listener_;
  DatagramSource source_;  // where it was answered from
  TimePoint last_;
  Timer silence_;
};

class DatagramListener final : public OtherListener, private UdpServer::Handler {
 public:
  DatagramListener(TcpServer& server, const AddressSpec& address) : server_(server) {
    ServerSocketOptions options;
    options.udp = true;
    options.udp_options.packet_info = true;
    ServerSockets sockets = open_server_sockets(address, options);
    descriptions_ = sockets.descriptions();
    UdpServer::Options udp;
    udp.log = &server.log();
    udp.policy.access = server.options().access;
    udp.policy.rate = server.options().rate;
    UdpServer::Handler& handler = *this;
    udp_ = std::make_unique<UdpServer>(server.loop(), std::move(sockets.udp), handler, udp);
    flush_ = server.loop().before_wait([this] { flush(); });
  }
  ~DatagramListener() override {
    for (auto& [endpoint, peer] : std::exchange(peers_, {})) peer->abort();
  }

  void close() override { closed_ = true; }
  std::vector<std::string> descriptions() const override { return descriptions_; }

  void send(const Endpoint& to, std::string_view data, const DatagramSource& source) {
    if (waiting_.size() >= kMostUnsent) return;
    waiting_.emplace_back(data);
    udp_->send(to, waiting_.back(), {}, source);
  }
  void forget(const Endpoint& peer) { peers_.erase(peer); }

 private:
  void on_datagram(const ReceivedMessage& from, std::string_view datagram) override {
    auto found = peers_.find(*from.peer);
    if (found == peers_.end()) {
      if (closed_) return;
      server_.adopt(*from.peer, [&](ByteStream::Handler& handler) {
        auto peer = std::make_unique<DatagramPeer>(*this, server_.loop(), *from.peer, handler);
        peers_[*from.peer] = peer.get();
        return peer;
      });
      found = peers_.find(*from.peer);
      if (found == peers_.end()) return;
    }
    found->second->take(datagram, udp_->source_of(from));
  }
  void on_unblocked() override { waiting_.clear(); }

  void flush() {
    if (!waiting_.empty() && !udp_->blocked() && udp_->flush()) waiting_.clear();
  }

  TcpServer& server_;
  std::vector<std::string> descriptions_;
  std::deque<std::string> waiting_;  // what is queued refers to these
  std::unordered_map<Endpoint, DatagramPeer*> peers_;
  std::unique_ptr<UdpServer> udp_;
  Hook flush_;
  bool closed_ = false;
};

DatagramPeer::DatagramPeer(DatagramListener& listener, EventLoop& loop, const Endpoint& peer,
                           Handler& handler)
    : DatagramStream(loop, peer, handler), listener_(&listener), last_(loop.now()) {
  arm();
}

void DatagramPeer::write(std::string_view data) {
  if (listener_ != nullptr) listener_->send(peer(), data, source_);
}

Endpoint DatagramPeer::local() const {
  return Endpoint();
}

void DatagramPeer::release() {
  silence_.reset();
  if (listener_ != nullptr) std::exchange(listener_, nullptr)->forget(peer());
}

}  // namespace

std::unique_ptr<OtherListener> OtherListener::open(TcpServer& server, const AddressSpec& address,
                                                   TcpListener::OnAccept on_accept,
                                                   std::function<void(int)> on_exhausted) {
  switch (address.transport) {
    case Transport::udp:
      return std::make_unique<DatagramListener>(server, address);
    case Transport::serial:
      return std::make_unique<SerialListener>(server, address);
    case Transport::tcp:
    case Transport::unix_socket:
      break;
  }
  return std::make_unique<UnixListener>(server, address, std::move(on_accept),
                                        std::move(on_exhausted));
}

}  // namespace netkit
