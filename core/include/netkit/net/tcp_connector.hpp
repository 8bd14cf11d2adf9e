// Making TCP connections.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

struct ConnectResult {
  FileDescriptor socket;  // connected and non-blocking, or none
  Endpoint peer;
  Transport transport = Transport::tcp;
  ExitStatus status = ExitStatus::done;  // name, unreachable or permission when it failed
  std::string why;       // it failed: "connection refused", with the address in brackets where the
                         // target is a name
  std::string error;     // the same as a sentence: "127.0.0.1:80: connection refused"
  int error_number = 0;  // the last errno; ETIMEDOUT for `timeout`
};

// The stream of what a connector gave, whatever carries it; as make_tcp_stream().
NETKIT_API std::unique_ptr<ByteStream> make_stream(EventLoop& loop, ConnectResult result,
                                                   ByteStream::Handler& handler);

// [loop] One attempt at a time: resolves, tries the addresses in order, the next 250 ms after the
// one before or at once when that failed (Happy Eyeballs, RFC 8305), and gives the first that
// connects. Destroying it or cancel() ends the attempt without a callback. A unix socket, a serial
// line and the peer of datagrams are there at once, or they are not.
class NETKIT_API TcpConnector {
 public:
  explicit TcpConnector(EventLoop& loop);
  ~TcpConnector();
  void connect(const AddressSpec& target, Duration timeout,
               std::function<void(ConnectResult)> callback);
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
