#include <algorithm>
#include <bit>
#include <echo/bench_run.hpp>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxWindow = 65'536;
constexpr std::size_t kTogether = 64;      // messages of one flow in a row, at a fixed rate
constexpr std::size_t kDuePerTurn = 4096;  // then replies are read again

}  // namespace

BenchRun::BenchRun(EventLoop& loop, const Log& log, BenchOptions options, OnEnd on_end)
    : loop_(loop),
      options_(std::move(options)),
      on_end_(std::move(on_end)),
      transport_(options_.tcp ? make_tcp_transport(loop, log, options_, *this)
                              : make_udp_transport(loop, log, options_, *this)) {}

void BenchRun::start() {
  transport_->open();
}

// Messages that the previous address refused are not counted.
void BenchRun::start_over() {
  sending_ = false;
  due_.reset();
  expiry_.reset();
  duration_.reset();
  schedule_.reset();
  stopped_.reset();
  counters_ = {};
  interval_ = taken_ = {};
}

// A flow's window; at a fixed rate as many messages as may wait for an answer.
std::size_t BenchRun::window_capacity() const {
  if (options_.rate <= 0) return std::bit_ceil(options_.window);
  const double wait = std::chrono::duration<double>(options_.wait).count();
  const double waiting = 2 * options_.rate * wait / static_cast<double>(options_.flows);
  const double bounded = std::clamp(waiting, 64.0, static_cast<double>(kMaxWindow));
  return std::bit_ceil(static_cast<std::size_t>(bounded));
}

void BenchRun::on_open() {
  if (ended_) return;
  windows_.assign(options_.flows, FlowWindow(window_capacity()));
  next_flow_ = 0;
  started_ = now_ = loop_.clock().now();
  sending_ = true;
  duration_ = loop_.after(options_.duration, [this] { stop_sending(); });
  expiry_ = loop_.every(std::max<Duration>(options_.wait / 8, std::chrono::milliseconds(1)),
                        [this] { expire(); });
  if (options_.rate > 0) {
    schedule_.emplace(options_.rate, started_);
    send_due();
    return;
  }
  for (std::size_t flow = 0; flow < windows_.size(); ++flow) refill(flow);
}

void BenchRun::note_sent(std::size_t flow, std::size_t count, std::uint32_t first) {
  counters_.sent += count;
  counters_.bytes_sent += count * options_.size;
  transport_->send(flow, first, count);
}

void BenchRun::refill(std::size_t flow) {
  FlowWindow& window = windows_[flow];
  if (window.outstanding() >= options_.window) return;
  const std::size_t count = options_.window - window.outstanding();
  const TimePoint now = loop_.clock().now();
  std::uint32_t first = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const FlowWindow::Sent sent = window.send(now);
    if (i == 0) first = sent.number;
    if (sent.overwrote) ++counters_.lost;
  }
  note_sent(flow, count, first);
}

void BenchRun::send_due() {
  const TimePoint now = loop_.clock().now();
  std::size_t sent_now = 0;
  bool more = true;
  while (more && sent_now < kDuePerTurn) {
    FlowWindow& window = windows_[next_flow_];
    std::size_t count = 0;
    std::uint32_t first = 0;
    while (count < kTogether) {
      const auto due = schedule_->take(now);
      more = due.has_value();
      if (!more) break;
      const FlowWindow::Sent sent = window.send(*due);
      if (count++ == 0) first = sent.number;
      if (sent.overwrote) ++counters_.lost;
    }
    if (count > 0) note_sent(next_flow_, count, first);
    sent_now += count;
    next_flow_ = (next_flow_ + 1) % windows_.size();
  }
  counters_.skipped = schedule_->skipped();
  if (sending_) due_ = loop_.at(schedule_->next(), [this] { send_due(); });
}

void BenchRun::on_batch() {
  now_ = loop_.clock().now();
}

void BenchRun::on_reply(std::size_t flow, std::uint32_t number, std::size_t bytes) {
  const FlowWindow::Reply reply = windows_[flow].on_reply(number, now_);
  switch (reply.kind) {
    case FlowWindow::Reply::Kind::reply:
      ++counters_.received;
      counters_.bytes_received += bytes;
      counters_.latency.record(reply.latency);
      interval_.latency.record(reply.latency);
      break;
    case FlowWindow::Reply::Kind::duplicate:
      ++counters_.duplicates;
      break;
    case FlowWindow::Reply::Kind::late:
      ++counters_.late;
      break;
  }
}

void BenchRun::on_next_reply(std::size_t flow, std::size_t bytes) {
  const auto number = windows_[flow].oldest();
  if (number) {
    on_reply(flow, *number, bytes);
  } else {
    ++counters_.late;
  }
}

void BenchRun::on_batch_end(std::size_t flow) {
  if (sending_ && !schedule_) refill(flow);
  if (!sending_) finish_if_settled();
}

// Before the first answer this means that there is no server; later it is loss like any other.
void BenchRun::on_refused(std::size_t, int error) {
  ++counters_.refused;
  if (counters_.received > 0 || ended_) return;
  if (transport_->use_next()) {
    start_over();
  } else {
    for (FlowWindow& window : windows_) counters_.lost += window.expire_all();
    end(ExitStatus::unreachable, transport_->peer() + ": " + error_text(error));
  }
}

void BenchRun::expire() {
  // Bytes of a stream arrive in order or not at all: none is lost while the connection lives.
  if (!options_.tcp) {
    const TimePoint before = loop_.clock().now() - options_.wait;
    for (FlowWindow& window : windows_) counters_.lost += window.expire(before);
  }
  if (!sending_) {
    finish_if_settled();
    return;
  }
  if (schedule_) return;
  for (std::size_t flow = 0; flow < windows_.size(); ++flow) refill(flow);
}

void BenchRun::stop_sending() {
  if (schedule_) {
    const TimePoint now = loop_.clock().now();
    send_due();
    schedule_->skip_until(now);  // so that a rate that was not kept is told
    counters_.skipped = schedule_->skipped();
  }
  sending_ = false;
  stopped_ = loop_.clock().now();
  due_.reset();
  duration_ = loop_.after(options_.wait, [this] { stop(); });
  finish_if_settled();
}

void BenchRun::finish_if_settled() {
  if (!stopped_) return;
  const bool settled = std::all_of(windows_.begin(), windows_.end(), [](const FlowWindow& window) {
    return window.outstanding() == 0;
  });
  if (settled) stop();
}

void BenchRun::stop() {
  if (ended_) return;
  // When cut short, messages under way are neither answered nor lost.
  if (stopped_) {
    for (FlowWindow& window : windows_) counters_.lost += window.expire_all();
  } else {
    stopped_ = loop_.clock().now();
  }
  const bool nothing = counters_.received == 0;
  end(nothing ? ExitStatus::no : ExitStatus::done,
      nothing ? "no reply from " + transport_->peer() : std::string());
}

void BenchRun::on_failed(ExitStatus status, const std::string& error) {
  if (ended_) return;
  end(status, error);
}

void BenchRun::end(ExitStatus status, const std::string& error) {
  if (ended_) return;
  ended_ = true;
  sending_ = false;
  if (!stopped_) stopped_ = loop_.clock().now();
  due_.reset();
  expiry_.reset();
  duration_.reset();
  on_end_(status, error);
}

BenchInterval BenchRun::take_interval() {
  interval_.received = counters_.received - taken_.received;
  interval_.bytes = counters_.bytes_received - taken_.bytes;
  interval_.lost = counters_.lost - taken_.lost;
  taken_ = {counters_.received, counters_.bytes_received, counters_.lost, {}};
  return std::exchange(interval_, {});
}

BenchResult BenchRun::result() const {
  if (started_ == TimePoint()) return {};
  return summarize(counters_, stopped_.value_or(loop_.clock().now()) - started_);
}

}  // namespace netkit::echo
