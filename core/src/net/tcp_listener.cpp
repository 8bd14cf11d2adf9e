#include "net/tcp_listener.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

constexpr int kAcceptsPerTurn = 64;
constexpr Duration kBackOff = 50ms;
constexpr Duration kReportInterval = 1s;

FileDescriptor open_spare() {
  return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

// Errors of the connection that was waiting, not of the listening socket (accept(2)).
bool concerns_one_connection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct TcpListener::Impl {
  Impl(EventLoop& event_loop, FileDescriptor listening)
      : loop(event_loop), socket(std::move(listening)) {}

  EventLoop& loop;
  FileDescriptor socket;
  FileDescriptor spare = open_spare();
  OnAccept on_accept;
  std::function<void(int)> on_exhausted;
  Watch watch;
  Timer back_off;
  TimePoint last_report = TimePoint::min();
  bool paused = false;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  void accept_batch();
  void exhausted(int error);
};

void TcpListener::Impl::accept_batch() {
  const std::shared_ptr<bool> still = alive;  // a callback may destroy the listener
  for (int i = 0; i < kAcceptsPerTurn && *still && !paused; ++i) {
    Endpoint peer;
    socklen_t size = Endpoint::capacity();
    FileDescriptor connection(
        ::accept4(socket.get(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection) {
      on_accept(std::move(connection), peer);
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return;
    if (concerns_one_connection(error)) continue;
    exhausted(error);
    return;
  }
}

void TcpListener::Impl::exhausted(int error) {
  // Without this the waiting connection would keep the socket readable and the loop busy.
  spare.reset();
  const FileDescriptor refused(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
  watch.set(Interest::none);
  back_off = loop.after(kBackOff, [this] {
    if (!spare) spare = open_spare();
    if (!paused) watch.set(Interest::read);
  });
  const TimePoint now = loop.now();
  if (last_report != TimePoint::min() && now - last_report < kReportInterval) return;
  last_report = now;
  if (on_exhausted) on_exhausted(error);
}

TcpListener::TcpListener(EventLoop& loop, FileDescriptor listening, OnAccept on_accept,
                         std::function<void(int)> on_exhausted)
    : impl_(std::make_unique<Impl>(loop, std::move(listening))) {
  impl_->on_accept = std::move(on_accept);
  impl_->on_exhausted = std::move(on_exhausted);
  Impl* const impl = impl_.get();
  impl->watch =
      loop.watch(impl->socket.get(), Interest::read, [impl](Ready) { impl->accept_batch(); });
}

TcpListener::~TcpListener() {
  *impl_->alive = false;
}

Endpoint TcpListener::local() const {
  return local_endpoint(impl_->socket.get());
}

void TcpListener::pause() {
  impl_->paused = true;
  impl_->watch.set(Interest::none);
}

void TcpListener::resume() {
  impl_->paused = false;
  if (!impl_->back_off.pending()) impl_->watch.set(Interest::read);
}

void TcpListener::close() {
  impl_->paused = true;
  impl_->back_off.reset();
  impl_->watch.reset();
  impl_->socket.reset();
}

}  // namespace netkit
