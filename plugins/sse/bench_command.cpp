#include <algorithm>
#include <memory>
#include <sse/bench_command.hpp>
#include <sse/bench_connection.hpp>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/plugin/bench_rows.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

// Connections that are begun before what has come is looked at.
constexpr std::size_t kStartsPerTurn = 100;

std::shared_ptr<StreamMaker> tls_of(const BenchOptions& options) {
  if (!options.url.is_tls) return nullptr;
  TlsClientOptions tls = options.tls;
  if (options.streams != 0) tls.alpn = {"h2"};
  return TlsContext::client(tls);
}

class Bench final : private BenchConnection::Handler {
 public:
  Bench(Host& host, const BenchOptions& options)
      : host_(host),
        options_(options),
        meter_(options.readers),
        with_{.loop = host.loop(),
              .log = host.log(),
              .url = options.url,
              .connect_timeout = options.connect_timeout,
              .tls = tls_of(options),
              .meter = meter_},
        rows_(host),
        began_(host.loop().now()) {
    host_.set_totals([this](Totals& totals) { meter_.fill(totals, host_.loop().now() - began_); });
  }

  void start() {
    raise_descriptor_limit();
    end_ = host_.loop().after(options_.duration, [this] { judge(); });
    rows_.start([this](const BenchRows::Part& part) { show_row(part); });
    start_more();
  }
  std::string summary() const { return meter_.summary(); }

 private:
  void start_more() {
    for (std::size_t i = 0; i < kStartsPerTurn && begun_ < options_.readers; ++i) {
      const std::size_t readers =
          std::min(std::max<std::size_t>(options_.streams, 1), options_.readers - begun_);
      connections_.push_back(options_.streams == 0 ? BenchConnection::http1(with_, *this)
                                                   : BenchConnection::http2(with_, *this, readers));
      begun_ += readers;
      connections_.back()->start();
    }
    if (begun_ == options_.readers) return;
    starts_ = host_.loop().after(Duration::zero(), [this] { start_more(); });
  }

  void on_reader_failed(ExitStatus status, const std::string& error) override {
    if (meter_.failed() < options_.readers) {
      if (meter_.failed() == 1) host_.log().notice(error);
      return;
    }
    const bool is_only = options_.readers == 1;
    host_.finish(status, is_only
                             ? error
                             : fmt::format("all {} readers failed: {}", options_.readers, error));
  }

  void judge() {
    for (const auto& connection : connections_) connection->end();
    const std::string missed = meter_.verdict(options_.thresholds);
    host_.finish(missed.empty() ? ExitStatus::done : ExitStatus::no, missed);
  }

  void show_row(const BenchRows::Part& part) {
    const BenchMeter::Interval interval = meter_.take_interval();
    host_.log().notice(interval_row(interval, meter_.open(), part, utf8_));
    if (part.is_record) emit(interval, part);
  }

  void emit(const BenchMeter::Interval& interval, const BenchRows::Part& part) {
    const double seconds = part.to - part.from;
    const auto ms = [](const LatencyHistogram& times, double percent) {
      return times.count() == 0 ? kNotMeasured : milliseconds(times.percentile(percent));
    };
    const Field fields[] = {{"from_s", part.from},
                            {"to_s", part.to},
                            {"readers", meter_.open()},
                            {"events_per_s", static_cast<double>(interval.events) / seconds},
                            {"bytes_per_s", static_cast<double>(interval.bytes) / seconds},
                            {"gap_p50_ms", ms(interval.gaps, 50)},
                            {"gap_p99_ms", ms(interval.gaps, 99)},
                            {"gap_max_ms", ms(interval.gaps, 100)},
                            {"lag_p50_ms", ms(interval.lags, 50)},
                            {"lag_p99_ms", ms(interval.lags, 99)},
                            {"lag_max_ms", ms(interval.lags, 100)}};
    host_.output().emit({.type = "interval",
                         .time = host_.clock().wall(),
                         .peer = nullptr,
                         .fields = fields,
                         .payload = std::nullopt,
                         .line = std::nullopt});
  }

  Host& host_;
  BenchOptions options_;
  BenchMeter meter_;
  BenchSurroundings with_;
  bool utf8_ = locale_is_utf8();
  std::size_t begun_ = 0;  // readers
  std::vector<std::unique_ptr<BenchConnection>> connections_;
  BenchRows rows_;
  TimePoint began_;
  Timer starts_;
  Timer end_;
};

}  // namespace

void BenchCommand::configure(const Values& values) {
  options_.url = target_of(values);
  options_.readers = static_cast<std::size_t>(values.integer("readers"));
  if (values.has("streams")) options_.streams = static_cast<std::size_t>(values.integer("streams"));
  options_.duration = values.duration("duration");
  options_.connect_timeout = values.duration("connect-timeout");
  options_.tls = {.ca_file = values.text("cacert"), .insecure = values.flag("insecure")};
  options_.thresholds.max_first = values.duration("max-first");
  options_.thresholds.max_gap = values.duration("max-gap");
  if (values.has("max-lost")) options_.thresholds.max_lost = values.number("max-lost");
}

ExitStatus BenchCommand::run(Host& host) {
  Bench bench(host, options_);
  bench.start();
  const ExitStatus status = host.run_loop();
  host.output().write_text(bench.summary());
  return status;
}

}  // namespace netkit::sse
