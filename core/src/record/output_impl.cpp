#include "record/output_impl.hpp"

#include "record/network_sink.hpp"

#include <algorithm>
#include <unistd.h>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

bool is_stream(SinkKind kind) {
  return kind == SinkKind::standard_output || kind == SinkKind::file;
}

bool gets_json(SinkKind kind, const OutputOptions& options) {
  if (!is_stream(kind) || options.format != Format::json) return false;
  return kind == SinkKind::standard_output || !options.record_template;
}

}  // namespace

OutputImpl::OutputImpl(const OutputOptions& options, const OutputContext& context)
    : loop_(context.loop), format_(options.format), colored_(options.colored) {
  for (const std::string& text : options.to) open_sink(SinkSpec::parse(text), options, context);
  flush_hook_ = context.loop.before_wait([this] { flush(); });
  ends_with_reader_ = stdout_ != nullptr && !options.hide_on_stdout;
  if (ends_with_reader_) watch_reader();
}

std::unique_ptr<Formatter> OutputImpl::make_formatter(SinkKind kind, const OutputOptions& options,
                                                      const OutputContext& context) const {
  if (gets_json(kind, options)) return make_json_formatter(context.definitions);
  const bool lines = is_stream(kind) && options.format != Format::raw;
  auto usual = lines ? make_text_formatter(context.definitions,
                                           options.colored && kind == SinkKind::standard_output,
                                           options.escapes ? Escaping::text : Escaping::none)
                     : make_raw_formatter();
  if (!options.record_template) return usual;
  const TemplateUse use = options.escapes ? TemplateUse::lines : TemplateUse::unescaped_lines;
  return make_template_formatter(*options.record_template, lines ? use : TemplateUse::bytes,
                                 context.definitions, std::move(usual));
}

// Sinks of one kind are numbered from 1, for the names of their counters.
std::size_t OutputImpl::number_of(SinkKind kind) {
  kinds_.push_back(kind);
  return static_cast<std::size_t>(std::count(kinds_.begin(), kinds_.end(), kind));
}

void OutputImpl::open_sink(const SinkSpec& spec, const OutputOptions& options,
                           const OutputContext& context) {
  const bool json = gets_json(spec.kind, options);
  auto formatter = make_formatter(spec.kind, options, context);
  std::unique_ptr<Sink> sink;
  switch (spec.kind) {
    case SinkKind::standard_output: {
      if (stdout_ != nullptr) return;  // named twice
      auto made = std::make_unique<StdoutSink>(
          std::move(formatter), json,
          StdoutWriter(STDOUT_FILENO, context.stop_fd, context.loop.clock()),
          StdoutSink::Callbacks{
              context.failed, context.reader_gone, {}, {}, [this] { await_room(); }});
      stdout_ = made.get();
      sink = std::move(made);
      break;
    }
    case SinkKind::none:
      return;
    case SinkKind::file:
      sink = std::make_unique<FileSink>(std::move(formatter), json, spec.target, context.failed);
      break;
    case SinkKind::udp:
    case SinkKind::broadcast:
    case SinkKind::multicast:
      sink = std::make_unique<NetworkSink>(spec, number_of(spec.kind), std::move(formatter),
                                           context.loop, context.log);
      break;
    case SinkKind::other:
      if (!context.open_other) throw UsageError("--to: stores are not available here");
      sink = context.open_other(spec, number_of(spec.kind), std::move(formatter));
      break;
    case SinkKind::exec:
      sink = std::make_unique<ExecSink>(spec.target, number_of(spec.kind), std::move(formatter),
                                        context.loop, context.log, options.exec);
      break;
  }
  if (sink.get() != stdout_ || !options.hide_on_stdout) wanting_.push_back(sink.get());
  sinks_.push_back(std::move(sink));
}

void OutputImpl::emit(const Record& record) {
  for (Sink* sink : wanting_) sink->take(record);
}

bool OutputImpl::flush() {
  for (const auto& sink : sinks_) sink->flush();
  return is_written();
}

bool OutputImpl::flush_all() {
  flush();
  if (stdout_ != nullptr) stdout_->flush_all();
  return is_written();
}

bool OutputImpl::is_written() const {
  return std::ranges::all_of(sinks_, [](const auto& sink) { return sink->is_written(); });
}

void OutputImpl::await_room() {
  if (reader_) return reader_.set(Interest::write);
  reader_ = loop_.watch(stdout_->writable_fd(), Interest::write, [this](Ready) { on_reader(); });
}

void OutputImpl::on_reader() {
  if (reader_.interest() == Interest::failure) {
    reader_.reset();
    return stdout_->lose_reader();
  }
  stdout_->unblock();
  if (stdout_->is_blocked()) return;
  watch_reader();
  if (unblocked_) unblocked_();
}

// Without records nothing is written, so it would go unnoticed that the reader has gone.
void OutputImpl::watch_reader() {
  reader_.reset();
  if (!ends_with_reader_ || !stdout_->has_reader() || !stdout_->is_open()) return;
  reader_ = loop_.watch(stdout_->writable_fd(), Interest::failure, [this](Ready) { on_reader(); });
}

void OutputImpl::on_unblocked(std::function<void()> callback) {
  unblocked_ = std::move(callback);
}

void OutputImpl::write_text(std::string_view text) {
  if (format_ == Format::text && stdout_ != nullptr) stdout_->take_bytes(text);
}

void OutputImpl::emit_end(std::string_view line) {
  for (const auto& sink : sinks_) sink->take_end(line);
}

bool OutputImpl::busy() const {
  return std::any_of(sinks_.begin(), sinks_.end(), [](const auto& sink) { return sink->busy(); });
}

bool OutputImpl::has_left_out() const {
  return std::ranges::any_of(sinks_, [](const auto& sink) { return sink->has_left_out(); });
}

void OutputImpl::add_totals(Totals& totals) const {
  for (const auto& sink : sinks_) sink->add_totals(totals);
}

void OutputImpl::refuse_loops(std::span<const Endpoint> locals) const {
  for (const auto& sink : sinks_) sink->refuse_loops(locals);
}

void OutputImpl::redirect(std::function<void(std::string_view)> writer) {
  if (stdout_ != nullptr) stdout_->redirect(std::move(writer));
}

void OutputImpl::set_before_write(std::function<void()> callback) {
  if (stdout_ != nullptr) stdout_->set_before_write(std::move(callback));
}

void OutputImpl::set_deadline(TimePoint deadline, bool final) {
  if (stdout_ != nullptr) stdout_->set_deadline(deadline, final);
}

void OutputImpl::set_patience(Duration patience) {
  if (stdout_ != nullptr) stdout_->set_patience(patience);
}

bool OutputImpl::has_unwritten() const {
  return stdout_ != nullptr && stdout_->has_unwritten();
}

}  // namespace netkit
