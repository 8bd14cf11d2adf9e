// A UDP client: one server, whose name may have several addresses.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/udp_socket.hpp>
#include <netkit/net/udp_sockets.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// `localhost` is ::1 and 127.0.0.1, and a server may listen on one of them only: as long as none
// has answered, the next is tried if one refuses or cannot be reached. [one thread at a time]
class NETKIT_API ServerAddresses {
 public:
  // `endpoints` is what resolve() gave: at least one. Sockets are bound to the one of `sources`
  // that is of the server's family; where there are some, a server of another cannot be reached.
  explicit ServerAddresses(std::vector<Endpoint> endpoints, std::vector<Endpoint> sources = {})
      : endpoints_(std::move(endpoints)), sources_(std::move(sources)) {}

  const Endpoint& current() const { return endpoints_[index_]; }
  // A socket connected to current(), or to the next that can be reached. Throws SystemError.
  UdpSocket connect(const UdpOptions& options = {});
  // A socket connected to current(). Throws SystemError.
  UdpSocket connect_to_current(const UdpOptions& options = {}) const;
  // One connected to the next that can be reached, which is current() then; none when all have been
  // tried since the first or start_over().
  std::optional<UdpSocket> connect_next(const UdpOptions& options = {});
  void start_over() { tried_ = 1; }

 private:
  UdpSocket make_socket(const UdpOptions& options) const;

  std::vector<Endpoint> endpoints_;
  std::vector<Endpoint> sources_;  // empty: the system chooses
  std::size_t index_ = 0;
  std::size_t tried_ = 1;
};

// For a socket that is not connected, and so learns of no refusal: the first of the addresses that
// can be reached; if there is none, the first.
NETKIT_API Endpoint first_routable(const std::vector<Endpoint>& endpoints);

// [loop] A connected socket. As long as the server has not been heard, its next address is tried if
// one refuses or cannot be reached. Callbacks must not destroy the client.
class NETKIT_API UdpClient final : public UdpSockets {
 public:
  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_datagram(std::string_view datagram) = 0;
    // peer() is another address now; `error` is that of the previous one. What was sent to it is
    // lost, including queued datagrams: whatever has no answer yet must be sent again.
    virtual void on_next_address(int error) { (void)error; }
    // peer() refuses, or it cannot be reached, and no other address is left to try. A refusal is
    // reported with the next datagram sent or read, possibly once for several.
    virtual void on_refused(int error) = 0;
    virtual void on_unblocked() {}
  };
  struct Options : UdpSockets::Options {
    UdpOptions socket{};
    std::vector<Endpoint> sources{};  // as AddressSpec has them
    // After this much silence of the server a new socket is used for sending, as the address of
    // this machine, or its translation, may have changed. Not where `sources` has a port.
    Duration silence = kNever;
  };

  // Resolves `servers`, which may block, and connects to the first of their addresses that can be
  // reached. Throws Error (68, 69). `handler`, `loop` and the log outlive the client.
  UdpClient(EventLoop& loop, const std::vector<AddressSpec>& servers, Handler& handler,
            const Options& options);
  // The same with what resolve() gave: at least one.
  UdpClient(EventLoop& loop, std::vector<Endpoint> addresses, Handler& handler,
            const Options& options);

  const Endpoint& peer() const { return addresses_.current(); }
  // Sends one datagram at once. Returns 0 or the errno: EAGAIN if there was no room, and it is
  // lost; EMSGSIZE if it is too long for the path, see path_mtu(); anything else is a refusal of
  // this datagram or an earlier one, which on_next_address() or on_refused() has reported.
  int send_now(std::string_view datagram);
  using UdpSockets::send;
  // Queues for the server: see UdpSockets::send().
  void send(std::string_view head, std::string_view body = {}) {
    UdpSockets::send(peer(), head, body);
  }
  // The two bits of RFC 3168 of the datagram passed to on_datagram(), with UdpOptions::ecn.
  std::uint8_t ecn() const { return ecn_; }
  // After EMSGSIZE; 0 when unknown.
  unsigned path_mtu() const { return first().socket.path_mtu(); }
  // To be called before queued datagrams are sent: opens a new socket after Options::silence.
  void renew_if_silent();
  // Allows all addresses to be tried again, even if the server was heard.
  void start_over();

 private:
  UdpClient(EventLoop& loop, ServerAddresses addresses, Handler& handler, const Options& options);
  void on_message(Port& port, const ReceivedMessage& message) override;
  void on_unreachable(const Endpoint& to, int error) override;
  void on_not_sent(const Endpoint& to, int error) override;
  void on_unblocked() override { handler_.on_unblocked(); }

  Handler& handler_;
  ServerAddresses addresses_;
  UdpOptions socket_options_;
  Duration silence_;
  TimePoint heard_at_;  // or when the socket was made
  std::uint8_t ecn_ = 0;
  bool heard_ = false;  // so that the address in use is the right one
};

}  // namespace netkit
