#include <charconv>
#include <push/control_line.hpp>
#include <push/status_command.hpp>
#include <utility>
#include <vector>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

void StatusCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  wait_ = values.duration("wait");
}

ExitStatus StatusCommand::run(Host& host) {
  host_ = &host;
  host.set_totals([this](Totals& totals) { totals.add("subscribers", shown_); });
  connector_ = std::make_unique<TcpConnector>(host.loop());
  connector_->connect(address_, wait_,
                      [this](ConnectResult result) { on_connected(std::move(result)); });
  overdue_ = host.loop().after(wait_, [this] {
    fail(ExitStatus::unreachable, "no answer within " + format_duration(wait_));
  });
  return host.run_loop();
}

void StatusCommand::fail(ExitStatus status, const std::string& why) {
  host_->finish(status, address_.to_string() + ": " + why);
}

void StatusCommand::on_connected(ConnectResult result) {
  if (!result.error.empty()) {
    host_->finish(result.status, result.error);
    return;
  }
  server_ = result.peer;
  stream_ = make_tcp_stream(host_->loop(), std::move(result.socket), result.peer, *this);
  host_->log().info("connected to " + server_.to_string());
  constexpr std::string_view kQuestion = "STATUS\n";
  log_sent(host_->log(), server_, kQuestion);
  stream_->write(kQuestion);
}

void StatusCommand::on_data(ByteStream&, std::string_view data) {
  log_received(host_->log(), server_, data);
  lines_.feed(data, [this](const Line& line) { on_line(line); });
}

void StatusCommand::on_line(const Line& line) {
  if (host_->finishing()) return;
  if (line.too_long) {
    fail(ExitStatus::protocol, "the server's answer is not one of push");
  } else if (counted_) {
    on_row(line.text);
  } else {
    on_count(line.text);
  }
}

void StatusCommand::on_count(std::string_view line) {
  const std::string_view digits = line.starts_with("OK ") ? line.substr(3) : std::string_view();
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), rows_);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    fail(ExitStatus::protocol, "the server's answer is '" + escaped_text(line.substr(0, 60)) + "'");
    return;
  }
  counted_ = true;
  if (rows_ == 0) host_->finish(ExitStatus::done);
}

void StatusCommand::on_row(std::string_view line) {
  const auto row = parse_status_row(line);
  if (!row) {
    fail(ExitStatus::protocol, "the server's answer is '" + escaped_text(line.substr(0, 60)) + "'");
    return;
  }
  const Field fields[] = {{"name", std::string_view(row->name)},
                          {"address", row->address},
                          {"kind", row->kind},
                          {"age", row->age_s},
                          {"sent", row->sent},
                          {"lost", row->lost},
                          {"lag", row->lag}};
  host_->output().emit({.type = "subscriber",
                        .time = host_->clock().wall(),
                        .peer = &server_,
                        .fields = fields,
                        .payload = std::nullopt});
  ++shown_;
  if (--rows_ == 0) host_->finish(ExitStatus::done);
}

void StatusCommand::on_end(ByteStream& stream) {
  on_closed(stream, 0, {});
}

void StatusCommand::on_closed(ByteStream&, int error, std::string_view) {
  stream_->pause_reading();
  fail(ExitStatus::unreachable, error == 0 ? "closed by the server" : error_text(error));
}

}  // namespace netkit::push
