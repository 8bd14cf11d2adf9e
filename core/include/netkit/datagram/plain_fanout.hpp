// The same plain datagrams to many addresses, beside the sessions of a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <netkit/datagram/output_queue.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// Texts that wait until it is their turn, each stored once. What goes to one address lies together,
// so that texts of one size leave by UDP_SEGMENT. [one thread] Allocates a few blocks for what is
// settled together, nothing per datagram.
class NETKIT_API PlainFanout {
 public:
  // More than `limit` datagrams do not wait: those beyond are dropped, and counted.
  explicit PlainFanout(std::size_t limit = SIZE_MAX) : limit_(limit) {}

  // A text for those whom settle() names.
  void say(std::string_view text);
  // What was said is for these: to be called before drain(), and before anybody comes or goes.
  void settle(std::span<const Path> to);
  bool settled() const { return !said_; }
  // A text for one, behind all that was settled.
  void tell(const Path& to, std::string_view text);

  // Adds what waits until `queue` holds `limit` datagrams; true: more is waiting.
  bool drain(OutputQueue& queue, std::size_t limit = OutputQueue::kRound);
  std::size_t waiting() const { return waiting_; }  // datagrams that are settled and not drained
  std::uint64_t dropped() const { return dropped_; }

 private:
  class Texts;
  struct Job {
    std::shared_ptr<const Texts> texts;
    std::size_t datagrams = 0;  // the first so many of texts times addresses
    std::size_t at = 0;         // that are drained
  };
  void enqueue(std::shared_ptr<Texts> texts, std::span<const Path> to);
  static void add(OutputQueue& queue, Job& job, std::size_t limit);

  std::size_t limit_;
  std::shared_ptr<Texts> said_;  // null: nothing
  std::deque<Job> jobs_;
  std::size_t waiting_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace netkit::datagram
