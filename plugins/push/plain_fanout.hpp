// The same records to every plain subscriber.
#pragma once

#include <cstddef>
#include <push/record_batch.hpp>
#include <push/transmitter.hpp>
#include <span>
#include <vector>

#include <netkit/net/endpoint.hpp>

namespace netkit::push {

// [loop] A subscriber's records lie together, so that those of one size leave by UDP_SEGMENT.
class PlainFanout {
 public:
  explicit PlainFanout(Transmitter& transmitter) : transmitter_(transmitter) {}

  // The most records of one batch.
  static constexpr std::size_t kMaxRecords = 512;

  // Takes what is in `batch`, leaves it empty, and sends it as far as the sockets take it. Only
  // when done().
  void start(RecordBatch& batch, std::span<const Endpoint> to);
  // After the transmitter was blocked.
  void resume();
  bool done() const { return rest_.empty() && !waiting_; }

 private:
  // How many of `to` have been given to the transmitter; all, unless it is blocked.
  std::size_t send(std::span<const Endpoint> to);

  Transmitter& transmitter_;
  RecordBatch batch_;           // what is being sent
  std::vector<Endpoint> rest_;  // who has not got it, once the transmitter was blocked
  bool waiting_ = false;        // the transmitter holds what refers to batch_
};

}  // namespace netkit::push
