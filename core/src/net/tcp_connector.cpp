#include "net/datagram_stream.hpp"
#include "net/serial_line.hpp"
#include "net/socket_error.hpp"
#include "net/unix_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <list>
#include <optional>
#include <sys/socket.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

// RFC 8305, section 5.
constexpr Duration kAttemptDelay = 250ms;

}  // namespace

struct TcpConnector::Impl {
  struct Attempt {
    Endpoint peer;
    FileDescriptor socket;
    Watch watch;
  };

  explicit Impl(EventLoop& event_loop) : loop(event_loop), resolver(event_loop) {}

  void start(const AddressSpec& target, Duration timeout, std::function<void(ConnectResult)> done);
  void open_at_once(const AddressSpec& target);
  void open_datagrams();
  void try_next();
  int open_connection(const Endpoint& peer, FileDescriptor& socket);
  void attempt_ready(std::list<Attempt>::iterator attempt);
  static bool is_to_itself(const Attempt& attempt);
  void finish(ConnectResult result);
  void fail(ExitStatus status, std::string why, int error_number);
  void fail_unbound(const std::string& protocol);
  void reset();

  EventLoop& loop;
  AsyncResolver resolver;
  std::string target_text;
  Transport transport = Transport::tcp;
  std::vector<Endpoint> candidates;
  std::vector<Endpoint> sources;
  std::size_t next = 0;
  std::list<Attempt> attempts;
  Timer stagger;
  Timer deadline;
  int last_error = 0;
  Endpoint last_peer;
  std::optional<Endpoint> unbound;  // the source that this error is about
  std::function<void(ConnectResult)> callback;
};

void TcpConnector::Impl::start(const AddressSpec& target, Duration timeout,
                               std::function<void(ConnectResult)> done) {
  reset();
  callback = std::move(done);
  target_text = target.to_string();
  sources = target.sources;
  transport = target.transport;
  if (transport == Transport::unix_socket || transport == Transport::serial) {
    stagger = loop.after(Duration::zero(), [this, target] { open_at_once(target); });
    return;
  }
  deadline = loop.after(timeout, [this, timeout] {
    fail(ExitStatus::unreachable,
         fmt::format("no connection within {} (--connect-timeout)", format_duration(timeout)),
         ETIMEDOUT);
  });
  resolver.resolve(target, [this](std::vector<Endpoint> endpoints, std::string error) {
    if (endpoints.empty()) {
      fail(ExitStatus::name, std::move(error), 0);
      return;
    }
    candidates = std::move(endpoints);
    transport == Transport::udp ? open_datagrams() : try_next();
  });
}

void TcpConnector::Impl::open_at_once(const AddressSpec& target) {
  const bool serial = transport == Transport::serial;
  try {
    ConnectResult result;
    result.transport = transport;
    result.peer = serial ? Endpoint::serial_peer() : Endpoint::unix_peer(0);
    result.socket = serial ? open_serial_line(target) : connect_unix(target.path);
    finish(std::move(result));
  } catch (const SystemError& error) {
    fail(error.status(), error_text(error.error_number()), error.error_number());
  }
}

void TcpConnector::Impl::open_datagrams() {
  for (const Endpoint& peer : candidates) {
    ConnectResult result;
    result.transport = Transport::udp;
    result.peer = peer;
    last_error = open_connection(peer, result.socket);
    if (last_error == 0) return finish(std::move(result));
  }
  if (unbound) return fail_unbound("udp");
  fail(socket_status(last_error), error_text(last_error), last_error);
}

void TcpConnector::Impl::fail_unbound(const std::string& protocol) {
  const SystemError error = bind_error(last_error, protocol, *unbound);
  fail(error.status(), error.what(), last_error);
}

void TcpConnector::Impl::try_next() {
  stagger.reset();
  while (next < candidates.size()) {
    const Endpoint peer = candidates[next++];
    FileDescriptor socket;
    last_error = open_connection(peer, socket);
    if (last_error == 0) {
      const auto attempt = attempts.insert(attempts.end(), Attempt{peer, std::move(socket), {}});
      attempt->watch = loop.watch(attempt->socket.get(), Interest::write,
                                  [this, attempt](Ready) { attempt_ready(attempt); });
      if (next < candidates.size()) stagger = loop.after(kAttemptDelay, [this] { try_next(); });
      return;
    }
    last_peer = peer;
  }
  if (!attempts.empty()) return;
  if (unbound) return fail_unbound("tcp");
  const bool prohibited = exit_status_of(last_error) == ExitStatus::permission;
  const std::string peer = last_peer.to_string();
  // " without its interface (write …)", where that is what is wrong.
  const std::string hint = refused_address(last_error, last_peer).substr(peer.size());
  fail(prohibited ? ExitStatus::permission : ExitStatus::unreachable,
       fmt::format("{}{}{}", error_text(last_error), hint,
                   peer == target_text ? std::string() : fmt::format(" ({})", peer)),
       last_error);
}

// Begins to connect; returns 0 or an errno.
int TcpConnector::Impl::open_connection(const Endpoint& peer, FileDescriptor& socket) {
  unbound.reset();
  const int type = transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
  socket.reset(::socket(peer.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  if (!sources.empty()) {
    const auto source = std::find_if(sources.begin(), sources.end(), [&peer](const Endpoint& one) {
      return one.family() == peer.family();
    });
    if (source == sources.end()) return EAFNOSUPPORT;
    // After a drop the same port is wanted again, which the connection before may still hold. Of
    // datagrams another process would get those of this one.
    const int on = type == SOCK_STREAM ? 1 : 0;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), source->data(), source->size()) != 0) {
      unbound = *source;
      return errno;
    }
  }
  const int result = ::connect(socket.get(), peer.data(), peer.size());
  return result == 0 || errno == EINPROGRESS ? 0 : errno;
}

// Where nobody listens on a port of this machine, the kernel may choose that port to connect from:
// TCP then connects the socket to itself, and the server that comes back finds its port taken.
bool TcpConnector::Impl::is_to_itself(const Attempt& attempt) {
  if (local_endpoint(attempt.socket.get()) != attempt.peer) return false;
  close_by_reset(attempt.socket.get());  // TIME_WAIT would hold the port as well
  return true;
}

void TcpConnector::Impl::attempt_ready(std::list<Attempt>::iterator attempt) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(attempt->socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0 && is_to_itself(*attempt)) error = ECONNREFUSED;
  if (error == 0) {
    attempt->watch.reset();
    ConnectResult result;
    result.peer = attempt->peer;
    result.socket = std::move(attempt->socket);
    finish(std::move(result));
    return;
  }
  last_peer = attempt->peer;
  last_error = error;
  unbound.reset();
  attempts.erase(attempt);
  try_next();
}

void TcpConnector::Impl::fail(ExitStatus status, std::string why, int error_number) {
  ConnectResult result;
  result.status = status;
  // The reason why a name is not resolved contains it already.
  result.error = status == ExitStatus::name ? why : Outage::sentence(target_text, why);
  result.why = std::move(why);
  result.error_number = error_number;
  finish(std::move(result));
}

void TcpConnector::Impl::finish(ConnectResult result) {
  const auto done = std::move(callback);
  reset();
  if (done) done(std::move(result));
}

void TcpConnector::Impl::reset() {
  resolver.cancel();
  stagger.reset();
  deadline.reset();
  attempts.clear();
  candidates.clear();
  next = 0;
  last_error = 0;
  callback = nullptr;
}

std::unique_ptr<ByteStream> make_stream(EventLoop& loop, ConnectResult result,
                                        ByteStream::Handler& handler) {
  switch (result.transport) {
    case Transport::udp:
      return make_datagram_stream(loop, std::move(result.socket), result.peer, handler);
    case Transport::serial:
      return make_serial_stream(loop, std::move(result.socket), handler);
    case Transport::tcp:
    case Transport::unix_socket:
      break;
  }
  return make_tcp_stream(loop, std::move(result.socket), result.peer, handler);
}

TcpConnector::TcpConnector(EventLoop& loop) : impl_(std::make_unique<Impl>(loop)) {}

TcpConnector::~TcpConnector() = default;

void TcpConnector::connect(const AddressSpec& target, Duration timeout,
                           std::function<void(ConnectResult)> callback) {
  impl_->start(target, timeout, std::move(callback));
}

void TcpConnector::cancel() {
  impl_->reset();
}

}  // namespace netkit
