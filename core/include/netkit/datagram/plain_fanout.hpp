// The same plain datagrams to many addresses, beside the sessions of a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <netkit/datagram/output_queue.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/quantity.hpp>

namespace netkit::datagram {

// Texts that wait for their turn, each stored once. Datagrams to one address are kept together, so
// that texts of one size leave by UDP_SEGMENT. [one thread] Allocates a few blocks per settle(),
// nothing per datagram.
class NETKIT_API PlainFanout {
 public:
  struct Options {
    std::size_t limit = SIZE_MAX;  // datagrams that wait: those beyond are dropped, and counted
    // Bytes a second to each address but those of loopback, as it gives no feedback; a second's
    // worth at once. 0: no limit. What is beyond is dropped, and counted.
    double rate = 0;
  };
  PlainFanout() = default;
  explicit PlainFanout(const Options& options) : options_(options) {}

  // Adds a text for the addresses that the next settle() names.
  void say(std::string_view text);
  // The texts added since the last call are for these addresses: to be called before drain(), and
  // before anybody joins or leaves.
  void settle(std::span<const Path> to);
  bool settled() const { return !said_; }
  // Adds a text for one address, after everything that was settled.
  void tell(const Path& to, std::string_view text);

  // Adds what waits until `queue` holds `limit` datagrams; true: more is waiting.
  bool drain(OutputQueue& queue, TimePoint now, std::size_t limit = OutputQueue::kRound);
  std::size_t waiting() const { return waiting_; }    // datagrams that are settled and not drained
  std::uint64_t dropped() const { return dropped_; }  // by the limit
  std::uint64_t over_rate() const { return over_rate_; }

 private:
  class Texts;
  struct Job {
    std::shared_ptr<const Texts> texts;
    std::size_t datagrams = 0;  // how many of texts times addresses, from the first
    std::size_t at = 0;         // that are drained
  };
  void enqueue(std::shared_ptr<Texts> texts, std::span<const Path> to);
  void add(OutputQueue& queue, Job& job, TimePoint now, std::size_t limit);
  bool within_rate(const Endpoint& to, std::size_t bytes, TimePoint now);

  Options options_;
  std::unordered_map<Endpoint, TokenBucket> buckets_;  // of those that were sent something of late
  std::shared_ptr<Texts> said_;                        // null: nothing
  std::deque<Job> jobs_;
  std::size_t waiting_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t over_rate_ = 0;
};

}  // namespace netkit::datagram
