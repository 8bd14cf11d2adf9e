#include "net/datagram_stream.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include <netkit/net/server_sockets.hpp>

namespace netkit {
namespace {

constexpr int kReadsPerTurn = 64;
constexpr std::size_t kMostWaiting = 1024;  // datagrams; what is beyond is lost, as on the way

class ConnectedDatagrams final : public DatagramStream {
 public:
  ConnectedDatagrams(EventLoop& loop, FileDescriptor socket, const Endpoint& peer, Handler& handler)
      : DatagramStream(loop, peer, handler), socket_(std::move(socket)) {
    watch_ = loop_.watch(socket_.get(), Interest::read, [this](Ready ready) { on_ready(ready); });
  }

  using DatagramStream::write;
  void write(std::string_view data) override {
    if (ended()) return;
    if (waiting_.empty() && send(data)) return;
    if (waiting_.size() < kMostWaiting) waiting_.emplace_back(data);
    if (!ended()) watch_.set(Interest::both);
  }
  Endpoint local() const override { return local_endpoint(socket_.get()); }

 private:
  // False if it has to wait.
  bool send(std::string_view data) {
    if (::send(socket_.get(), data.data(), data.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno == EAGAIN || errno == ENOBUFS) return false;
    end(errno);
    return true;
  }

  void on_ready(Ready ready) {
    if (ready.writable) {
      // A failure ends the stream, which drops all that waits.
      while (!waiting_.empty() && send(waiting_.front())) {
        if (!ended()) waiting_.pop_front();
      }
      if (waiting_.empty() && !ended()) watch_.set(Interest::read);
    }
    if (ready.readable) receive();
  }

  void receive() {
    const std::span<char> buffer = loop_.read_buffer();
    for (int reads = 0; reads < kReadsPerTurn && !ended(); ++reads) {
      const ssize_t count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (count < 0) {
        if (errno != EAGAIN && errno != EINTR) end(errno);
        return;
      }
      const std::string_view datagram(buffer.data(), static_cast<std::size_t>(count));
      if (!deliver(datagram)) return;
    }
  }

  void release() override {
    watch_.reset();
    waiting_.clear();
  }

  FileDescriptor socket_;
  Watch watch_;
  std::deque<std::string> waiting_;
};

}  // namespace

bool DatagramStream::deliver(std::string_view datagram) {
  if (ended_) return true;
  if (!paused_ && held_.empty()) {
    return survival_.of([&] { handler_.on_data(*this, datagram); });
  }
  if (held_.size() < kMostWaiting) held_.emplace_back(datagram);
  return true;
}

void DatagramStream::resume_reading() {
  paused_ = false;
  if (!held_.empty()) resume_timer_ = loop_.after(Duration::zero(), [this] { deliver_held(); });
}

void DatagramStream::deliver_held() {
  while (!paused_ && !ended_ && !held_.empty()) {
    const std::string datagram = std::move(held_.front());
    held_.pop_front();
    if (!survival_.of([&] { handler_.on_data(*this, datagram); })) return;
  }
}

void DatagramStream::end(int error) {
  if (ended_) return;
  ended_ = true;
  release();
  end_timer_ =
      loop_.after(Duration::zero(), [this, error] { handler_.on_closed(*this, error, {}); });
}

void DatagramStream::abort() {
  end_timer_.reset();
  if (!std::exchange(ended_, true)) release();
}

std::unique_ptr<ByteStream> make_datagram_stream(EventLoop& loop, FileDescriptor socket,
                                                 const Endpoint& peer,
                                                 ByteStream::Handler& handler) {
  return std::make_unique<ConnectedDatagrams>(loop, std::move(socket), peer, handler);
}

}  // namespace netkit
