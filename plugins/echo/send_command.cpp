#include <cerrno>
#include <echo/send_command.hpp>
#include <unistd.h>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/binary_text.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kMaxWhole = 64 << 20;
constexpr Duration kAskAgain = std::chrono::milliseconds(100);  // after a refusal
constexpr std::size_t kExcerpt = 60;  // bytes of a message that an error shows

std::string quoted_excerpt(std::string_view message) {
  const bool cut = message.size() > kExcerpt;
  return "'" + escaped_text(excerpt(message, kExcerpt)) + (cut ? "...'" : "'");
}

}  // namespace

std::string SendCommand::decode(std::string_view text) const {
  return hex_ ? decode_hex_option(text) : std::string(text);
}

void SendCommand::configure(const Values& values) {
  servers_ = values.addresses("ADDRESS");
  tcp_ = values.flag("tcp");
  hex_ = values.flag("hex");
  wait_ = values.duration("wait");
  connect_timeout_ = values.duration("connect-timeout");
  if (values.given("wait-for")) wait_for_ = values.duration("wait-for");
  const std::vector<std::string> texts = values.texts("TEXT");
  whole_ = values.flag("whole") || (texts.size() == 1 && texts.front() == "-");
  if (whole_ && values.flag("whole") && !texts.empty()) {
    throw UsageError("--whole sends standard input: omit TEXT");
  }
  if (whole_) return;
  for (const std::string& text : texts) messages_.push_back(decode(text));
  reads_input_ = messages_.empty();
}

// Before the loop runs, so that a signal ends it as it would end any filter.
void SendCommand::read_whole_input() {
  FileContent input = read_file(STDIN_FILENO, kMaxWhole);
  if (input.error == EFBIG) throw UsageError("standard input is longer than 64M");
  if (input.error != 0) {
    throw SystemError(input.error, "cannot read standard input", ExitStatus::output);
  }
  messages_.push_back(decode(hex_ ? trim_white_space(input.bytes) : input.bytes));
}

ExitStatus SendCommand::run(Host& host) {
  host_ = &host;
  if (whole_) read_whole_input();
  SendClient::Handler& handler = *this;
  if (tcp_) {
    client_ = std::make_unique<TcpSendClient>(host.loop(), host.log(), servers_, connect_timeout_,
                                              wait_for_.has_value(), handler);
  } else {
    client_ = std::make_unique<UdpSendClient>(host.loop(), servers_, handler);
  }
  host.set_totals([this](Totals& totals) {
    totals.add("sent", sent_);
    totals.add("received", received_);
    totals.add("missing", missing_);
    totals.add("late", late_);
  });
  client_->open();
  return host.run_loop();
}

void SendCommand::on_open() {
  open_ = true;
  if (waiting_) return transmit();
  if (reads_input_ && !input_) {
    Input::Options options;
    options.history = "echo";
    input_ = Input::open(*host_, *this, std::move(options));
  }
  send_next();
}

void SendCommand::on_input_line(std::string_view line) {
  try {
    messages_.push_back(decode(line));
  } catch (const UsageError& error) {
    host_->finish(error.status(), error.what());
    return;
  }
  send_next();
}

void SendCommand::on_input_end() {
  send_next();
}

void SendCommand::send_next() {
  if (!open_ || waiting_ || host_->finishing()) return;
  if (messages_.empty()) {
    if (input_ && !input_->ended()) {
      input_->resume();
      return;
    }
    host_->finish(missing_ == 0 ? ExitStatus::done : ExitStatus::no);
    return;
  }
  current_ = std::move(messages_.front());
  messages_.pop_front();
  if (input_) input_->pause();
  waiting_ = true;
  sent_at_ = host_->clock().now();
  ++sent_;
  transmit();
}

void SendCommand::transmit() {
  std::string error;
  if (!client_->send(current_, error)) {
    miss(error);
    return;
  }
  log_sent(host_->log(), client_->peer(), current_);
  if (waits_for_service()) wait_for_service();
  overdue_ = host_->loop().after(wait_, [this] {
    client_->give_up();
    if (waits_for_service()) return transmit();
    miss("no reply to " + quoted_excerpt(current_) + " within " + format_duration(wait_));
  });
}

void SendCommand::wait_for_service() {
  if (deadline_.pending()) return;
  deadline_ = host_->loop().after(*wait_for_, [this] {
    std::string error = fmt::format("no answer from {} within {}", servers_.front().to_string(),
                                    format_duration(*wait_for_));
    if (!last_error_.empty()) error += "; " + last_error_;
    host_->finish(ExitStatus::no, error);
  });
}

void SendCommand::miss(const std::string& why) {
  ++missing_;
  waiting_ = false;
  host_->log().error(why);
  // Not from here: a whole file of such messages would be as many calls deep.
  host_->loop().defer([this] { send_next(); });
}

void SendCommand::on_reply(std::string_view reply) {
  log_received(host_->log(), client_->peer(), reply);
  if (!waiting_) return;
  overdue_.reset();
  deadline_.reset();
  waiting_ = false;
  ++received_;
  emit("reply", reply, true);
  host_->loop().defer([this] { send_next(); });
}

void SendCommand::on_late(std::string_view reply) {
  ++late_;
  log_received(host_->log(), client_->peer(), reply);
  host_->log().info("late reply " + quoted_excerpt(reply));
  emit("late", reply, false);
}

void SendCommand::emit(std::string_view type, std::string_view reply, bool with_rtt) {
  const bool as_text = host_->output().format() == Format::text;
  const std::string hex = hex_ && as_text ? encode_hex(reply) : std::string();
  const Field fields[] = {{"proto", std::string_view(tcp_ ? "tcp" : "udp")},
                          {"seq", sent_},
                          {"rtt_ms", milliseconds(host_->clock().now() - sent_at_)}};
  host_->output().emit({.type = type,
                        .time = host_->clock().wall(),
                        .peer = &client_->peer(),
                        .fields = std::span(fields, with_rtt ? 3 : 1),
                        .payload = hex_ && as_text ? std::string_view(hex) : reply,
                        .line = std::nullopt});
}

void SendCommand::on_failed(ExitStatus status, const std::string& error) {
  if (!waits_for_service() || status != ExitStatus::unreachable) {
    return host_->finish(status, error);
  }
  if (std::exchange(last_error_, error) != error) host_->log().info(error + "; waiting for it");
  wait_for_service();
  open_ = false;
  overdue_ = host_->loop().after(kAskAgain, [this] { client_->open(); });
}

}  // namespace netkit::echo
