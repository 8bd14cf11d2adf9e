// The subscribers of the load: as cheap as they can be, so that the server under test has the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fanout {

// Every message is of this byte, which occurs nowhere else in what the servers send once a
// subscription stands.
inline constexpr char kFill = 'x';

class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual int fd() const = 0;
  virtual bool ready() const = 0;  // the server has confirmed the subscription
  // Reads what is there; the bytes of messages that came since the last call.
  virtual std::uint64_t read() = 0;
  virtual void tick() {}  // a few times in ten milliseconds
};

// What goes over the wire of one server, and how messages are given to it.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual std::unique_ptr<Subscriber> subscribe(std::size_t number) = 0;
  virtual int publisher() = 0;  // a descriptor, made once
  // One message for all.
  virtual std::string publish(std::string_view text) = 0;
};

// "netkit" (push), "room" (chat), "private" and "private-room" (the same by the keys of the file
// that NETKIT_BENCH_KEYS names), "handshakes" (with such a server, and no more than these),
// "redis", "nats", "mosquitto". `pipe` is where netkit takes from what is published.
std::unique_ptr<Wire> make_wire(std::string_view name, std::uint16_t port, int pipe);

enum class Dialect : std::uint8_t { none, push, chat };
// `keys`: null in clear.
std::unique_ptr<Wire> make_netkit_wire(std::uint16_t port, int pipe, const char* keys,
                                       Dialect dialect);

}  // namespace fanout
