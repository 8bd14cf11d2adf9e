// What `echo serve` was told, and what it counts.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <netkit/net/answer_policy.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::echo {

// Read only while the server runs; all its threads share one.
struct ServeSettings {
  Template reply;
  AccessList access;
  bool any_port = false;
  double rate = 0;  // messages a second and source; 0: no limit
  std::size_t max_clients = 0;
  Duration idle_timeout = kNever;
};

// TCP clients of all threads together: they share one limit.
using ClientCount = std::atomic<std::size_t>;

struct ServeCounters {
  std::uint64_t received = 0;  // datagrams and TCP reads
  std::uint64_t sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t kernel_drops = 0;
  std::array<std::uint64_t, kRefusals> refused{};  // by Refusal; none stays 0
  std::uint64_t loops = 0;
  std::uint64_t unsendable = 0;
  std::uint64_t too_big = 0;
  std::uint64_t accepted = 0;  // TCP
  std::uint64_t clients = 0;   // now
  std::uint64_t refused_clients = 0;
  std::uint64_t idle_clients = 0;
  std::uint64_t delayed = 0;  // TCP reads
  std::uint64_t unprinted = 0;

  ServeCounters& operator+=(const ServeCounters& other);
  void show(Totals& totals) const;
};

}  // namespace netkit::echo
