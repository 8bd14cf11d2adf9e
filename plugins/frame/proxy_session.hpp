// One client of Proxy and its connection to the target.
#pragma once

#include <frame/proxy.hpp>
#include <memory>

namespace netkit::frame {

class ProxySession {
 public:
  ProxySession(Proxy& proxy, FileDescriptor socket, const Endpoint& peer);

  void start();
  void close();
  const Endpoint& peer() const { return peer_; }

  std::size_t slot = 0;  // its place in the proxy's list

 private:
  // The connection at one end; what it reads goes to the other.
  class Side final : public ByteStream::Handler {
   public:
    Side(ProxySession& session, Direction direction);
    void on_data(ByteStream& stream, std::string_view data) override;
    void on_end(ByteStream& stream) override;
    void on_closed(ByteStream& stream, int error, std::string_view reason) override;
    void on_high_water(ByteStream& stream) override;
    void on_low_water(ByteStream& stream) override;

    Side* other = nullptr;
    std::unique_ptr<ByteStream> stream;
    bool closed = false;

   private:
    void decode(std::string_view data);

    ProxySession& session_;
    FrameDecoder decoder_;
    Direction direction_;
    bool decoding_ = true;
    bool ended_ = false;
  };

  void on_connected(ConnectResult result);
  void side_closed();

  Proxy& proxy_;
  Endpoint peer_;
  FileDescriptor socket_;  // the client's, until the target is connected
  TcpConnector connector_;
  Side client_;
  Side server_;
  std::uint64_t connection_ = 0;  // its number in the recording
};

}  // namespace netkit::frame
