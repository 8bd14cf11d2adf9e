// One load test: what is sent when, and the results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <echo/bench_transport.hpp>
#include <echo/flow_window.hpp>
#include <echo/report.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

// [loop] Closed loop (no rate): each flow keeps a window of messages under way. Open loop: messages
// leave at the rate whatever comes back, and latencies count from when each was due.
class BenchRun final : private BenchTransport::Handler {
 public:
  // Called once, when all is counted, or with an error when the test could not be done.
  using OnEnd = std::function<void(ExitStatus status, const std::string& error)>;
  BenchRun(EventLoop& loop, const Log& log, BenchOptions options, OnEnd on_end);

  void start();  // throws Error
  void stop();   // ends it now
  const BenchCounters& counters() const { return counters_; }
  BenchResult result() const;
  BenchInterval take_interval();  // what has come since the last call
  std::string peer() const { return transport_->peer(); }

 private:
  void on_open() override;
  void on_failed(ExitStatus status, const std::string& error) override;
  void on_batch() override;
  void on_reply(std::size_t flow, std::uint32_t number, std::size_t bytes) override;
  void on_next_reply(std::size_t flow, std::size_t bytes) override;
  void on_batch_end(std::size_t flow) override;
  void on_refused(std::size_t flow, int error) override;

  std::size_t window_capacity() const;
  void start_over();
  void refill(std::size_t flow);
  void send_due();
  void note_sent(std::size_t flow, std::size_t count, std::uint32_t first);
  void expire();
  void stop_sending();
  void finish_if_settled();
  void end(ExitStatus status, const std::string& error);

  EventLoop& loop_;
  BenchOptions options_;
  OnEnd on_end_;
  std::unique_ptr<BenchTransport> transport_;
  std::vector<FlowWindow> windows_;
  std::optional<SendSchedule> schedule_;
  std::size_t next_flow_ = 0;
  BenchCounters counters_;
  BenchInterval interval_;
  BenchInterval taken_;  // what the counters were when the last one was taken
  TimePoint now_;        // of the batch that is being read
  TimePoint started_;
  std::optional<TimePoint> stopped_;  // sending
  bool sending_ = false;
  bool ended_ = false;
  Timer due_;
  Timer expiry_;
  Timer duration_;
};

}  // namespace netkit::echo
