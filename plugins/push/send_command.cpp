#include <push/send_command.hpp>
#include <push/topic.hpp>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

void SendCommand::configure(const Values& values) {
  read_servers(values, values.addresses("ADDRESS"), values.duration("connect-timeout"));
  texts_ = values.texts("TEXT");
  topic_ = values.text("topic");
  const std::string_view why = why_not_a_topic(topic_);
  if (!why.empty()) throw UsageError(fmt::format("--topic: '{}' {}", escaped_text(topic_), why));
}

ExitStatus SendCommand::run(Host& host) {
  host.set_totals([this](Totals& totals) {
    totals.add("sent", sent_);
    totals.add("bytes", bytes_);
    totals.add("taken", taken_);
  });
  if (texts_.empty()) {
    Sources::Handler& records = *this;
    sources_ = open_sources(host, records, {.stdin_when_none = true});
  }
  connect(host);
  return host.run_loop();
}

void SendCommand::on_there() {
  if (sources_) return sources_->resume();
  for (const std::string& text : texts_) send(text);
  ended_ = true;
  check_end();
}

void SendCommand::send(std::string_view text) {
  ++sent_;
  bytes_ += text.size();
  std::string request =
      fmt::format("PUSH {} {}\n", topic_.empty() ? "-" : std::string_view(topic_), text.size());
  request += text;
  ask(request);
}

void SendCommand::on_source_record(std::string_view text, WallTime) {
  if (!connected()) return;
  send(text);
  if (sent_ - taken_ >= kMaxUnanswered) sources_->pause();
}

void SendCommand::on_sources_end() {
  ended_ = true;
  check_end();
}

// What came before it is handed over all the same.
bool SendCommand::on_source_failed(ExitStatus status, const std::string& error) {
  ended_ = true;
  status_ = status;
  error_ = error;
  check_end();
  return true;
}

void SendCommand::on_answer(std::string_view line) {
  if (line != "OK" || taken_ == sent_) return refuse(line, ExitStatus::again);
  ++taken_;
  if (sources_ && sent_ - taken_ < kMaxUnanswered && !ended_) sources_->resume();
  check_end();
}

void SendCommand::check_end() {
  if (!ended_ || taken_ < sent_) return;
  stop();
  host().finish(status_, error_);
}

}  // namespace netkit::push
