#include <algorithm>
#include <deque>
#include <memory>
#include <sse/bench_command.hpp>
#include <sse/event_stream.hpp>
#include <sse/response_reader.hpp>
#include <sse/stream_life.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/histogram.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::size_t kStartsPerTurn = 100;
constexpr std::size_t kMaxEvent = std::size_t{16} << 20U;
constexpr std::size_t kRemembered = 10'000;  // events whose first reader is known
constexpr unsigned kWidth = 80;

// When the fastest reader had each of the last events. [one thread]
class FirstTimes {
 public:
  // How much later than the fastest it is.
  Duration lag(std::string_view id, TimePoint now) {
    const auto [at, is_new] = times_.try_emplace(std::string(id), now);
    if (!is_new) return now - at->second;
    order_.push_back(at->first);
    if (order_.size() > kRemembered) {
      times_.erase(order_.front());
      order_.pop_front();
    }
    return Duration::zero();
  }

 private:
  std::unordered_map<std::string, TimePoint> times_;
  std::deque<std::string> order_;
};

class Bench {
 public:
  Bench(Host& host, const BenchOptions& options);
  void start();
  // What is beyond the thresholds; nothing where all is within them.
  std::string verdict() const;
  std::string summary() const;

 private:
  class Reader;

  void start_more();
  void on_failed(ExitStatus status, const std::string& error);
  double lost() const;
  void fill_totals(Totals& totals) const;

  Host& host_;
  BenchOptions options_;
  std::shared_ptr<TlsContext> tls_;
  std::string request_;
  std::vector<std::unique_ptr<Reader>> readers_;
  FirstTimes first_times_;
  LatencyHistogram connects_;
  LatencyHistogram firsts_;
  LatencyHistogram gaps_;
  LatencyHistogram lags_;
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t open_ = 0;
  std::uint64_t failed_ = 0;
  TimePoint began_;
  Timer starts_;
  Timer end_;
};

class Bench::Reader final : private TcpClient::Handler,
                            private ResponseReader::Handler,
                            private EventParser::Handler {
 public:
  explicit Reader(Bench& bench)
      : bench_(bench),
        client_(bench.host_.loop(), bench.host_.log(),
                {.servers = {bench.options_.url.server},
                 .connect_timeout = bench.options_.connect_timeout,
                 .reconnect = {.limit = Reconnect::kNever},
                 .tcp = {},
                 .tls = bench.tls_},
                *this),
        parser_(kMaxEvent) {}

  void start() {
    started_ = bench_.host_.loop().now();
    client_.start();
  }
  std::uint64_t events() const { return events_; }

 private:
  void on_connected(TcpClient& client) override {
    bench_.connects_.record(bench_.host_.loop().now() - started_);
    client.stream()->write(bench_.request_);
  }
  void on_data(TcpClient& client, std::string_view data) override {
    bench_.bytes_ += data.size();
    now_ = bench_.host_.loop().now();
    answer_.feed(data, *this);
    if (!why_.empty()) return client.drop(std::exchange(why_, {}), ExitStatus::protocol);
    if (answer_.state() != ResponseReader::State::more) {
      client.drop("the server closed the stream", ExitStatus::unreachable);
    }
  }
  std::string on_lost(TcpClient& /*client*/) override {
    if (std::exchange(is_open_, false)) --bench_.open_;
    return {};
  }
  void on_gave_up(TcpClient& /*client*/, ExitStatus status, const std::string& error) override {
    bench_.on_failed(status, error);
  }
  void on_head(const ResponseReader::Head& head) override {
    if (judge(head.status, head.content_type) == Answer::stream) {
      is_open_ = true;
      ++bench_.open_;
    } else {
      why_ = failure_of({head.status, head.content_type, {}}).message;
    }
  }
  void on_body(std::string_view bytes) override {
    if (parser_.feed(bytes, *this) == ParseResult::too_big) why_ = parser_.too_big_reason();
  }
  bool on_event(const Event& event) override {
    if (events_++ == 0) {
      bench_.firsts_.record(now_ - started_);
    } else {
      bench_.gaps_.record(now_ - last_);
    }
    last_ = now_;
    ++bench_.events_;
    if (!event.id.empty()) bench_.lags_.record(bench_.first_times_.lag(event.id, now_));
    return true;
  }

  Bench& bench_;
  TcpClient client_;
  ResponseReader answer_;
  EventParser parser_;
  std::string why_;  // the answer is of no use
  TimePoint started_;
  TimePoint now_;
  TimePoint last_;
  std::uint64_t events_ = 0;
  bool is_open_ = false;
};

Bench::Bench(Host& host, const BenchOptions& options)
    : host_(host),
      options_(options),
      tls_(options.url.is_tls ? TlsContext::client(options.tls) : nullptr),
      request_(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n"
                           "Cache-Control: no-cache\r\nUser-Agent: netkit\r\n\r\n",
                           options.url.path, options.url.host)),
      began_(host.loop().now()) {
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  readers_.reserve(options_.readers);
}

void Bench::start() {
  raise_descriptor_limit();
  end_ = host_.loop().after(options_.duration, [this] {
    const std::string missed = verdict();
    host_.finish(missed.empty() ? ExitStatus::done : ExitStatus::no, missed);
  });
  start_more();
}

void Bench::start_more() {
  for (std::size_t i = 0; i < kStartsPerTurn && readers_.size() < options_.readers; ++i) {
    readers_.push_back(std::make_unique<Reader>(*this));
    readers_.back()->start();
  }
  if (readers_.size() == options_.readers) return;
  starts_ = host_.loop().after(Duration::zero(), [this] { start_more(); });
}

void Bench::on_failed(ExitStatus status, const std::string& error) {
  if (failed_++ == 0) host_.log().notice(error);
  if (failed_ == options_.readers) host_.finish(status, error);
}

// Of the events that the reader with the most has had, what the others lack.
double Bench::lost() const {
  std::uint64_t most = 0;
  for (const auto& reader : readers_) most = std::max(most, reader->events());
  if (most == 0) return kNotMeasured;
  const double all = static_cast<double>(most) * static_cast<double>(options_.readers);
  return 100 * (1 - static_cast<double>(events_) / all);
}

std::string Bench::verdict() const {
  if (events_ == 0) return "no event came";
  if (firsts_.max() > options_.max_first) {
    return fmt::format("a first event took {} (--max-first)", latency_text(firsts_.max()));
  }
  if (gaps_.max() > options_.max_gap) {
    return fmt::format("a gap between two events was {} (--max-gap)", latency_text(gaps_.max()));
  }
  if (options_.max_lost && lost() > *options_.max_lost) {
    return fmt::format("{:.2f} % of the events are lost (--max-lost)", lost());
  }
  return {};
}

void Bench::fill_totals(Totals& totals) const {
  const auto add = [&totals](std::string_view name, const LatencyHistogram& times, double percent) {
    const double ms = std::chrono::duration<double, std::milli>(times.percentile(percent)).count();
    totals.add(name, times.count() == 0 ? kNotMeasured : ms);
  };
  const double seconds = std::chrono::duration<double>(host_.loop().now() - began_).count();
  totals.add("readers", open_);
  totals.add("failed", failed_);
  totals.add("events", events_);
  totals.add("bytes", bytes_);
  totals.add("event_rate", seconds > 0 ? static_cast<double>(events_) / seconds : kNotMeasured);
  add("connect_p50_ms", connects_, 50);
  add("connect_max_ms", connects_, 100);
  add("first_p50_ms", firsts_, 50);
  add("first_max_ms", firsts_, 100);
  add("gap_p50_ms", gaps_, 50);
  add("gap_p99_ms", gaps_, 99);
  add("gap_max_ms", gaps_, 100);
  add("lag_p50_ms", lags_, 50);
  add("lag_p99_ms", lags_, 99);
  add("lag_max_ms", lags_, 100);
  totals.add("lost_percent", lost());
}

std::string Bench::summary() const {
  const bool utf8 = locale_is_utf8();
  std::string out = fmt::format("{}, {} failed, {}\n", counted(readers_.size(), "reader"), failed_,
                                counted(events_, "event"));
  for (const auto& [name, times] :
       {std::pair("connect", &connects_), std::pair("first event", &firsts_),
        std::pair("gap", &gaps_), std::pair("lag", &lags_)}) {
    if (times->count() == 0) continue;
    const LatencyUnit unit(times->percentile(50), utf8);
    out +=
        fmt::format("{:<12} p50 {}   p99 {}   max {}\n", name, unit.number(times->percentile(50)),
                    unit.number(times->percentile(99)), unit.text(times->max()));
  }
  return out + gaps_.render(kWidth, utf8);
}

}  // namespace

void BenchCommand::configure(const Values& values) {
  options_.url = target_of(values);
  options_.readers = static_cast<std::size_t>(values.integer("readers"));
  options_.duration = values.duration("duration");
  options_.connect_timeout = values.duration("connect-timeout");
  options_.tls = {.ca_file = values.text("cacert"), .insecure = values.flag("insecure")};
  options_.max_first = values.duration("max-first");
  options_.max_gap = values.duration("max-gap");
  if (values.has("max-lost")) options_.max_lost = values.number("max-lost");
}

ExitStatus BenchCommand::run(Host& host) {
  Bench bench(host, options_);
  bench.start();
  const ExitStatus status = host.run_loop();
  host.output().write_text(bench.summary());
  return status;
}

}  // namespace netkit::sse
