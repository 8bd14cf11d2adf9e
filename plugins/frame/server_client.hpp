// One connection of FrameServer.
#pragma once

#include <frame/server.hpp>
#include <memory>
#include <string>

#include <netkit/net/tcp_stream.hpp>

namespace netkit::frame {

// Owned by the server's list; `slot` is its place there. An idle one costs a few hundred bytes.
class ServerClient final : public ByteStream::Handler {
 public:
  ServerClient(FrameServer& server, const Endpoint& peer);

  // Takes the connection; to be called once.
  void start(FileDescriptor socket);
  void close() { stream_->close(); }
  // False if too much waits for this client already.
  bool push(const SharedPayload& payload);

  const Endpoint& peer() const { return peer_; }
  TimePoint since() const { return since_; }
  std::uint64_t frames() const { return frames_; }
  const std::string& identity() const { return identity_; }  // appid and imei, or empty
  void set_identity(std::string_view identity) { identity_ = identity; }

  std::size_t slot = 0;

  void on_data(ByteStream& stream, std::string_view data) override;
  void on_end(ByteStream& stream) override;
  void on_closed(ByteStream& stream, int error, std::string_view reason) override;
  void on_high_water(ByteStream& stream) override { stream.pause_reading(); }
  void on_low_water(ByteStream& stream) override { stream.resume_reading(); }

 private:
  void refuse(const std::string& reason);
  void arm();
  void on_deadline();

  FrameServer& server_;
  std::unique_ptr<ByteStream> stream_;
  ServerSession session_;
  Timer timer_;
  TimePoint armed_ = TimePoint::max();
  TimePoint handshake_due_ = TimePoint::max();  // TLS: max once it is done
  TimePoint since_;
  std::uint64_t frames_ = 0;
  std::uint64_t connection_ = 0;  // its number in the recording
  std::string identity_;
  Endpoint peer_;
  bool refused_ = false;  // being closed: nothing more is read
};

}  // namespace netkit::frame
