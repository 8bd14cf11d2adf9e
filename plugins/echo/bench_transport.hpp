// The transport of a load test's messages, below bench_run.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <echo/ping_statistics.hpp>
#include <memory>
#include <string>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/log.hpp>

namespace netkit::echo {

inline constexpr std::size_t kMinBenchDatagram = 8;

struct BenchOptions {
  std::vector<AddressSpec> servers;  // the first that answers is used
  bool tcp = false;
  std::size_t flows = 1;   // sockets
  std::size_t window = 1;  // messages a flow has in flight, without a rate
  std::size_t size = 0;    // bytes of a message
  double rate = 0;         // messages a second, all flows together; 0: as fast as answers come
  Duration duration{};
  Duration wait{};  // for an answer
  Duration connect_timeout = kNever;
  Thresholds thresholds;
  bool coalesce = true;  // may hand the kernel several datagrams of a flow as one
};

// [loop]
class BenchTransport {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_open() = 0;  // all flows are there
    virtual void on_failed(ExitStatus status, const std::string& error) = 0;
    // Replies follow, then on_batch_end() for the same flow.
    virtual void on_batch() = 0;
    virtual void on_reply(std::size_t flow, std::uint32_t number, std::size_t bytes) = 0;
    virtual void on_next_reply(std::size_t flow, std::size_t bytes) = 0;  // of a stream: the oldest
    virtual void on_batch_end(std::size_t flow) = 0;
    virtual void on_refused(std::size_t flow, int error) = 0;
  };

  virtual ~BenchTransport() = default;
  virtual void open() = 0;  // throws Error; on_open() or on_failed() follows
  // Sends `count` messages, the first with this number.
  virtual void send(std::size_t flow, std::uint32_t first, std::size_t count) = 0;
  virtual std::string peer() const = 0;
  // Tries another address of the server, as long as none has answered; on_open() follows. False:
  // there is none.
  virtual bool use_next() { return false; }
};

// All references outlive them.
std::unique_ptr<BenchTransport> make_udp_transport(EventLoop& loop, const Log& log,
                                                   const BenchOptions& options,
                                                   BenchTransport::Handler& handler);
std::unique_ptr<BenchTransport> make_tcp_transport(EventLoop& loop, const Log& log,
                                                   const BenchOptions& options,
                                                   BenchTransport::Handler& handler);

}  // namespace netkit::echo
