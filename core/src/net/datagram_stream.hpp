// Datagrams as a stream: each write and each on_data() is one.
#pragma once

#include "net/tcp_stream.hpp"

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_stream.hpp>

namespace netkit {

// [loop] What all of them have in common: there is no end of a direction, nothing is held back, and
// on_closed() never comes from within the call that caused it.
class DatagramStream : public ByteStream {
 public:
  void write(const SharedPayload& payload) override { write(std::string_view(*payload)); }
  using ByteStream::write;
  void shutdown_write() override {}
  void close() override { end(0); }
  void abort() override;
  void pause_reading() override { paused_ = true; }
  void resume_reading() override;
  std::size_t queued() const override { return 0; }
  void set_water_marks(std::size_t /*low*/, std::size_t /*high*/) override {}
  Endpoint peer() const override { return peer_; }
  bool keeps_boundaries() const final { return true; }
  bool half_closes() const final { return false; }

 protected:
  DatagramStream(EventLoop& loop, const Endpoint& peer, Handler& handler)
      : loop_(loop), handler_(handler), peer_(peer) {}

  // Gives a datagram to the handler, or keeps it while reading is paused: a few, as the kernel
  // would. False if the stream is no more afterwards.
  bool deliver(std::string_view datagram);
  void end(int error);  // on_closed() follows
  bool ended() const { return ended_; }
  virtual void release() = 0;  // nothing comes any more

  EventLoop& loop_;
  Handler& handler_;

 private:
  void deliver_held();

  Endpoint peer_;
  Timer end_timer_;
  Timer resume_timer_;
  Survival survival_;
  std::deque<std::string> held_;
  bool paused_ = false;
  bool ended_ = false;
};

// Takes a connected UDP socket. An ICMP error ends the stream with its errno.
std::unique_ptr<ByteStream> make_datagram_stream(EventLoop& loop, FileDescriptor socket,
                                                 const Endpoint& peer,
                                                 ByteStream::Handler& handler);

}  // namespace netkit
