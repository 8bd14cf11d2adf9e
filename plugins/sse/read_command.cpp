#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <sse/read_command.hpp>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

// A state file is written at once, and then at most so often.
constexpr Duration kStatePause = std::chrono::milliseconds(200);

// libstdc++ matches without recursion, in time that data of a peer cannot blow up, when it is told
// to; it knows no back-references then.
std::regex compile(const std::string& pattern) {
  constexpr auto kFlags =
      std::regex::ECMAScript | std::regex::nosubs | std::regex_constants::__polynomial;
  try {
    // With all that may be in front of a match in the pattern itself, one pass over the data finds
    // whether there is one; a search would make a pass from each byte on.
    return std::regex("[^]*(?:" + pattern + ")", kFlags);
  } catch (const std::regex_error&) {
    throw UsageError("--until: '" + pattern + "' has a back-reference, which is not supported");
  }
}

}  // namespace

void ReadCommand::configure(const Values& values) {
  for (const std::string& url : values.texts("URL")) {
    const std::string checked = checked_url(url);
    if (std::ranges::find(urls_, checked) != urls_.end()) {
      throw UsageError("'" + url + "' is given twice");
    }
    urls_.push_back(checked);
  }
  request_ = request_options(values);
  for (const std::string& url : urls_) check_family(url, request_.family);
  configure_stream(values);
  types_ = values.texts("event");
  if (is_among_types(""))
    throw UsageError("--event: the type cannot be empty (the default is message)");
  if (values.given("last-event-id")) last_event_id_ = values.text("last-event-id");
  if (last_event_id_ && !is_event_id(*last_event_id_)) {
    throw UsageError("--last-event-id: an id is a single line");
  }
  if (values.has("until")) until_ = compile(values.text("until"));
  if (values.has("select")) select_.emplace(values.texts("select"));
  if (values.has("done")) done_ = values.text("done");
  event_.is_piece = values.flag("join");
  if (values.has("count")) count_ = static_cast<std::uint64_t>(values.integer("count"));
}

void ReadCommand::configure_stream(const Values& values) {
  stream_.reconnect = reconnect_options(values);
  stream_.retry = values.duration("retry");
  stream_.max_event = values.size("max-event");
  stream_.idle_timeout = values.duration("idle-timeout");
  stream_.comments = values.flag("comments");
  stream_.any_type = values.flag("any-type");
  stream_.once = !request_.is_safe();
  if (stream_.once && !values.given("reconnect")) stream_.reconnect.limit = Reconnect::kNever;
}

ExitStatus ReadCommand::run(Host& host) {
  host_ = &host;
  output_ = &host.output();
  load_files(request_, host.values());
  if (host.values().has("state")) state_.emplace(host.values().text("state"));
  if (request_.tls.insecure)
    host.log().notice("--insecure: the server's certificate is not verified");
  CurlLoop curl(host.loop(), host.log());
  Recorder recorder(host, "sse", host.values().text("record"));
  open_streams(curl, recorder);
  host.set_totals([this](Totals& totals) { fill_totals(totals); });
  host.on_stop([this](StopReason) { stop(); });
  Hook state_hook;
  if (state_) state_hook = host.loop().before_wait([this] { keep_state(); });
  for (const auto& stream : streams_) stream->start();
  const ExitStatus status = host.run_loop();
  for (const auto& stream : streams_) {
    stream->stop();
    const std::string held = stream->timing().held_back();
    if (!held.empty()) host.log().notice(Outage::sentence(stream->url(), held));
  }
  // What was not written is read again by the next run.
  const bool keep = state_ && output_->flush_all();
  const std::string error = keep ? write_state() : std::string();
  state_timer_.reset();
  state_hook.reset();
  streams_.clear();
  if (!error.empty() && status == ExitStatus::done) throw Error(ExitStatus::output, error);
  return status;
}

void ReadCommand::open_streams(CurlLoop& curl, Recorder& recorder) {
  for (const std::string& url : urls_) {
    std::string id = last_event_id_.value_or("");
    if (!last_event_id_ && state_) id = state_->id_of(url, urls_.size() == 1);
    if (state_ && !id.empty()) state_->begin(url, id);
    streams_.push_back(
        std::make_unique<StreamReader>(*host_, curl, request_, stream_, recorder, url, id, *this));
  }
}

bool ReadCommand::on_stream_bytes() {
  now_ = host_->clock().wall();
  return !host_->finishing();
}

bool ReadCommand::on_stream_event(const StreamReader& stream, const Event& event) {
  if (host_->finishing()) return false;
  if (!types_.empty() && !is_among_types(event.type)) {
    ++filtered_;
    return true;
  }
  if (done_ && event.data == *done_) {
    host_->finish(ExitStatus::done);
    return false;
  }
  std::string_view data = by_parts(event.data);
  bool is_printable = event.printable;
  if (select_) {
    const JsonSelection::Result selected = select_->apply(data);
    if (!selected.found) {
      ++unselected_;
      return true;
    }
    data = selected.text;
    is_printable = is_printable && selected.is_verbatim;
  }
  ++events_;
  event_fields_[0].value = by_parts(event.type);
  event_fields_[1].value = by_parts(event.id);
  event_fields_[2].value = std::string_view(stream.url());
  event_.time = now_;
  event_.peer = stream.peer();
  event_.payload = data;
  event_.payload_is_printable = is_printable;
  output_->emit(event_);
  if (events_ != count_ && !(until_ && matches_until(event.data))) return true;
  host_->finish(ExitStatus::done);
  return false;
}

void ReadCommand::on_stream_comment(const StreamReader& stream, std::string_view text) {
  if (host_->finishing()) return;
  ++comments_;
  const std::array<Field, 1> fields{Field{"url", std::string_view(stream.url())}};
  Record record;
  record.type = "comment";
  record.time = now_;
  record.peer = stream.peer();
  record.fields = fields;
  record.payload = text;
  output_->emit(record);
}

bool ReadCommand::is_among_types(std::string_view type) const {
  return std::ranges::find(types_, type) != types_.end();
}

bool ReadCommand::matches_until(std::string_view data) const {
  return std::regex_search(data.begin(), data.end(), *until_,
                           std::regex_constants::match_continuous);
}

void ReadCommand::on_stream_end(const StreamReader& stream, ExitStatus status,
                                const std::string& message) {
  ++ended_;
  if (status != ExitStatus::done) {
    const std::string line = Outage::sentence(stream.url(), message);
    if (streams_.size() == 1) return host_->finish(status, line);
    host_->log().error(line);
    if (failed_++ == 0) {
      status_ = status;
      first_failure_ = line;
    }
  }
  if (ended_ != streams_.size()) return;
  if (failed_ == 0) return host_->finish(ExitStatus::done);
  host_->finish(status_,
                fmt::format("{} of {} streams failed, first {}", failed_, ended_, first_failure_));
}

void ReadCommand::stop() {
  for (const auto& stream : streams_) stream->stop();
  host_->finish(ExitStatus::done);
}

// Not before the events are out: after a crash one may come twice, none is lost. As long as the
// reader of stdout has no room, they are not; there is another turn when it has.
void ReadCommand::keep_state() {
  if (state_timer_.pending()) return;
  const bool same = std::ranges::all_of(streams_, [this](const auto& stream) {
    return state_->is_written(stream->url(), stream->last_event_id());
  });
  if (same || !output_->flush()) return;
  state_timer_ = host_->loop().after(kStatePause, [] {});
  const std::string error = write_state();
  if (!error.empty()) host_->finish(ExitStatus::output, error);
}

std::string ReadCommand::write_state() {
  StateFile::Ids ids;
  for (const auto& stream : streams_) ids[stream->url()] = stream->last_event_id();
  return state_->write(std::move(ids));
}

void ReadCommand::fill_totals(Totals& totals) const {
  const auto sum = [this](auto count) {
    std::uint64_t all = 0;
    for (const auto& stream : streams_) all += std::invoke(count, *stream);
    return all;
  };
  totals.add("events", events_);
  totals.add("filtered", filtered_);
  totals.add("unselected", unselected_);
  totals.add("comments", comments_);
  totals.add("unfinished", sum(&StreamReader::unfinished));
  totals.add("bytes", sum(&StreamReader::bytes));
  totals.add("connections", sum(&StreamReader::connections));
  totals.add("reconnects", sum(&StreamReader::reconnects));
  totals.add("open", sum(&StreamReader::is_open));
  fill_timing(totals);
}

void ReadCommand::fill_timing(Totals& totals) const {
  const auto in_ms = [](Duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  LatencyHistogram gaps;
  std::uint64_t reads = 0;
  double first = kNotMeasured;
  double rate = kNotMeasured;
  for (const auto& stream : streams_) {
    const StreamTiming& timing = stream->timing();
    gaps.merge(timing.gaps());
    reads += timing.reads();
    if (timing.first_event()) first = std::fmin(first, in_ms(*timing.first_event()));
    if (!std::isnan(timing.events_per_second())) {
      rate = timing.events_per_second() + (std::isnan(rate) ? 0 : rate);
    }
  }
  const auto gap = [&](double percent) {
    return gaps.count() == 0 ? kNotMeasured : in_ms(gaps.percentile(percent));
  };
  totals.add("reads", reads);
  totals.add("first_event_ms", first);
  totals.add("gap_p50_ms", gap(50));
  totals.add("gap_p99_ms", gap(99));
  totals.add("gap_max_ms", gap(100));
  totals.add("event_rate", rate);
}

}  // namespace netkit::sse

NETKIT_PLUGIN_PART(sse_reader, netkit::sse::ReadCommand)
