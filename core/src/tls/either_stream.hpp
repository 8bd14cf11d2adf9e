// A connection on which the peer may or may not use TLS, as its first byte tells.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_stream.hpp>

namespace netkit::tls {

// [loop] For a server. Undecided until the peer sends something; then it is one of the two, to
// which calls are passed on, and whose events go to the handler.
class EitherStream final : public ByteStream {
 public:
  using OnReady = std::function<void(std::string_view alpn)>;
  using MakeSecure = std::function<std::unique_ptr<ByteStream>(FileDescriptor socket, OnReady)>;

  EitherStream(EventLoop& loop, FileDescriptor socket, const Endpoint& peer,
               ByteStream::Handler& handler, MakeSecure make_secure, OnReady on_ready);

  const ByteStream* chosen() const { return inner_.get(); }  // null: neither yet

  void write(std::string_view data) override { either().write(data); }
  void write(const SharedPayload& payload) override { either().write(payload); }
  void shutdown_write() override { either().shutdown_write(); }
  void close() override { either().close(); }
  void abort() override;
  void reset() override;
  void pause_reading() override { either().pause_reading(); }
  void resume_reading() override { either().resume_reading(); }
  std::size_t queued() const override { return inner_ ? inner_->queued() : 0; }
  void set_water_marks(std::size_t low, std::size_t high) override;
  Endpoint peer() const override { return peer_; }
  Endpoint local() const override { return inner_ ? inner_->local() : Endpoint(); }
  StreamFault fault() const override { return inner_ ? inner_->fault() : StreamFault::none; }

 private:
  void on_first_byte();
  void speak_tls();
  void speak_in_clear();
  // If the server writes or closes before the peer has sent anything, the connection is in clear
  // text.
  ByteStream& either();

  EventLoop& loop_;
  ByteStream::Handler& handler_;
  Endpoint peer_;
  MakeSecure make_secure_;
  OnReady on_ready_;
  std::size_t low_ = 0;
  std::size_t high_ = 0;  // 0: as they are by themselves
  FileDescriptor socket_;
  Watch first_;
  std::unique_ptr<ByteStream> inner_;
};

}  // namespace netkit::tls
