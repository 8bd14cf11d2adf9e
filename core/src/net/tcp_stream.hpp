// ByteStream over a plain TCP socket.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_stream.hpp>

namespace netkit {

// Whether an object outlives a callback that its owner may destroy it in.
// A member of the object in question. [loop]
class Survival {
 public:
  Survival() = default;
  ~Survival() {
    if (gone_ != nullptr) *gone_ = true;
  }
  Survival(const Survival&) = delete;
  Survival& operator=(const Survival&) = delete;

  // Runs `call` and says whether the object still exists afterwards. Calls may nest.
  template <typename Call>
  bool of(Call&& call) {
    bool gone = false;
    {
      const Frame frame{*this, gone, std::exchange(gone_, &gone)};
      std::forward<Call>(call)();
    }
    return !gone;
  }

 private:
  // A call that is running; it may end by an exception.
  struct Frame {
    Survival& survival;
    const bool& gone;
    bool* outer;
    ~Frame() {
      if (!gone) {
        survival.gone_ = outer;
      } else if (outer != nullptr) {
        *outer = true;
      }
    }
  };

  bool* gone_ = nullptr;  // of the innermost call that is running
};

// The socket closes with RST instead of FIN, and leaves no TIME_WAIT behind.
void close_by_reset(int fd);

// [loop] What an idle connection costs is this object and its slot in the loop; the queue is made
// when something waits.
class TcpStream : public ByteStream {
 public:
  TcpStream(EventLoop& loop, FileDescriptor socket, const Endpoint& peer, Handler& handler);
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;

  void write(std::string_view data) override;
  void write(const SharedPayload& payload) override;
  void shutdown_write() override;
  void close() override;
  void abort() override;
  void reset() override;
  void pause_reading() override;
  void resume_reading() override;
  std::size_t queued() const override;
  void set_water_marks(std::size_t low, std::size_t high) override;
  Endpoint peer() const override { return peer_; }
  Endpoint local() const override;

 protected:
  // What differs where the descriptor is no socket: recv(2) and sendmsg(2), with their results.
  virtual ssize_t read_some(int fd, std::span<char> buffer);
  virtual ssize_t write_some(int fd, std::span<iovec> pieces);

 private:
  enum class State : unsigned char { open, closing, closed };

  struct Piece {
    std::string own;
    SharedPayload shared;
    std::string_view view() const {
      return shared ? std::string_view(*shared) : std::string_view(own);
    }
  };
  struct Queue {
    std::deque<Piece> pieces;
    std::size_t offset = 0;  // of the first piece: sent already
    std::size_t size = 0;    // bytes that wait
    bool above_high = false;
  };

  void on_ready(Ready ready);
  void send_and_receive(Ready ready);
  void receive();
  ssize_t send_now(std::string_view data);
  std::size_t write_through(std::string_view data);
  Queue& make_queue();
  void enqueued(std::size_t size);
  bool send_queued();
  void drop_sent(std::size_t sent);
  bool after_sending();
  void do_shutdown();
  void finish_close();
  void release();
  void fail(int error);
  void fail_later(int error);
  void update_interest();
  void discard_unread();

  // What every read touches comes first, in one cache line: with ten thousand streams each line is
  // fetched from memory.
  EventLoop& loop_;
  Handler& handler_;
  Survival survival_;
  std::unique_ptr<Queue> queue_;
  FileDescriptor socket_;
  State state_ = State::open;
  bool reading_ = true;
  bool ended_ = false;
  bool shutdown_wanted_ = false;
  Watch watch_;  // ends before the socket is closed
  Timer close_timer_;
  std::size_t low_ = std::size_t{256} * 1024;
  std::size_t high_ = std::size_t{1024} * 1024;
  Endpoint peer_;
};

}  // namespace netkit
