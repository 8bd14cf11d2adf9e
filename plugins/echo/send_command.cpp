#include <echo/send_command.hpp>
#include <utility>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/binary_text.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kExcerpt = 60;  // bytes of a message that an error shows

std::string excerpt(std::string_view message) {
  const bool cut = message.size() > kExcerpt;
  return "'" + escaped_text(message.substr(0, kExcerpt)) + (cut ? "...'" : "'");
}

}  // namespace

std::string SendCommand::decode(std::string_view text) const {
  return hex_ ? decode_hex_option(text) : std::string(text);
}

void SendCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  tcp_ = values.flag("tcp");
  hex_ = values.flag("hex");
  wait_ = values.duration("wait");
  connect_timeout_ = values.duration("connect-timeout");
  for (const std::string& argument : values.texts("TEXT")) messages_.push_back(decode(argument));
  reads_input_ = messages_.empty();
}

ExitStatus SendCommand::run(Host& host) {
  host_ = &host;
  SendClient::Handler& handler = *this;
  if (tcp_) {
    client_ = std::make_unique<TcpSendClient>(host.loop(), host.log(), address_, connect_timeout_,
                                              handler);
  } else {
    client_ = std::make_unique<UdpSendClient>(host.loop(), address_, handler);
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
  if (reads_input_) {
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
  send(current_);
}

void SendCommand::send(const std::string& message) {
  waiting_ = true;
  sent_at_ = host_->clock().now();
  ++sent_;
  std::string error;
  if (!client_->send(message, error)) {
    miss(error);
    return;
  }
  log_sent(host_->log(), client_->peer(), message);
  overdue_ = host_->loop().after(wait_, [this] {
    client_->give_up();
    miss("no reply to " + excerpt(current_) + " within " + format_duration(wait_));
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
  waiting_ = false;
  ++received_;
  emit(kReplyRecord, reply, true);
  host_->loop().defer([this] { send_next(); });
}

void SendCommand::on_late(std::string_view reply) {
  ++late_;
  log_received(host_->log(), client_->peer(), reply);
  host_->log().info("late reply " + excerpt(reply));
  emit(kLateRecord, reply, false);
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
  host_->finish(status, error);
}

}  // namespace netkit::echo
