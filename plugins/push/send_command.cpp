#include <algorithm>
#include <array>
#include <push/send_command.hpp>
#include <push/topic.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

// What a server names that does not take records from here, and will not.
constexpr std::array<std::string_view, 3> kForbidding{"(--accept)", "(--publishers)",
                                                      "(--psk-file)"};

}  // namespace

void SendCommand::configure(const Values& values) {
  options_.servers = values.addresses("ADDRESS");
  if (auto identity = identity_of(values)) {
    options_.tls = TlsContext::client({.psk = std::move(identity)});
  }
  options_.connect_timeout = values.duration("connect-timeout");
  texts_ = values.texts("TEXT");
  topic_ = values.text("topic");
  const std::string_view why = why_not_a_topic(topic_);
  if (!why.empty()) throw UsageError(fmt::format("--topic: '{}' {}", escaped_text(topic_), why));
}

ExitStatus SendCommand::run(Host& host) {
  host_ = &host;
  host.set_totals([this](Totals& totals) {
    totals.add("sent", sent_);
    totals.add("bytes", bytes_);
    totals.add("taken", taken_);
  });
  if (texts_.empty()) {
    Sources::Handler& records = *this;
    sources_ = open_sources(host, records, {.stdin_when_none = true});
  }
  TcpClient::Handler& handler = *this;
  client_.emplace(host.loop(), host.log(), std::move(options_), handler);
  client_->start();
  return host.run_loop();
}

void SendCommand::on_connected(TcpClient&) {
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
  log_sent(host_->log(), client_->stream()->peer(), request);
  client_->stream()->write(request);
}

void SendCommand::on_source_record(std::string_view text, WallTime) {
  if (client_->stream() == nullptr) return;
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

void SendCommand::on_data(TcpClient& client, std::string_view data) {
  log_received(host_->log(), client.stream()->peer(), data);
  lines_.feed(data, [this](const Line& line) {
    on_answer(line);
    return !host_->finishing();
  });
}

void SendCommand::on_answer(const Line& line) {
  if (line.text == "OK" && taken_ < sent_) {
    ++taken_;
    if (sources_ && sent_ - taken_ < kMaxUnanswered && !ended_) sources_->resume();
    return check_end();
  }
  constexpr std::string_view kError = "ERR ";
  if (line.too_long || !line.text.starts_with(kError)) {
    return fail(ExitStatus::protocol,
                fmt::format("the server's answer is '{}'", escaped_text(excerpt(line.text, 60))));
  }
  const std::string_view why = line.text.substr(kError.size());
  const bool is_forbidden = std::ranges::any_of(
      kForbidding, [&](std::string_view option) { return why.find(option) != why.npos; });
  fail(is_forbidden ? ExitStatus::permission : ExitStatus::again, escaped_text(why));
}

void SendCommand::check_end() {
  if (!ended_ || taken_ < sent_) return;
  client_->stop();
  host_->finish(status_, error_);
}

void SendCommand::fail(ExitStatus status, const std::string& why) {
  host_->finish(status, Outage::sentence(client_->server(), why));
}

void SendCommand::on_end(TcpClient& client) {
  client.drop("closed by the server", ExitStatus::unreachable);
}

void SendCommand::on_gave_up(TcpClient&, ExitStatus status, const std::string& error) {
  host_->finish(status, error);
}

}  // namespace netkit::push
