// The same records to every plain subscriber.
#pragma once

#include <cstddef>
#include <push/record_batch.hpp>
#include <span>
#include <vector>

#include <netkit/datagram/socket_set.hpp>
#include <netkit/net/endpoint.hpp>

namespace netkit::push {

// [loop] A subscriber's records lie together, so that those of one size leave by UDP_SEGMENT.
class PlainFanout {
 public:
  explicit PlainFanout(datagram::SocketSet& sockets) : sockets_(sockets) {}

  // The most records of one batch.
  static constexpr std::size_t kMaxRecords = 512;

  // Takes what is in `batch`, leaves it empty, and sends it as far as the sockets take it. Only
  // when done().
  void start(RecordBatch& batch, std::span<const Endpoint> to);
  // After the sockets were blocked.
  void resume();
  bool done() const { return rest_.empty() && !waiting_; }

 private:
  // How many of `to` have been given to the sockets; all, unless they are blocked.
  std::size_t send(std::span<const Endpoint> to);

  datagram::SocketSet& sockets_;
  RecordBatch batch_;           // what is being sent
  std::vector<Endpoint> rest_;  // who has not got it, once the sockets were blocked
  bool waiting_ = false;        // the sockets hold what refers to batch_
};

}  // namespace netkit::push
