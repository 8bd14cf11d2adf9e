#include <algorithm>
#include <array>
#include <push/control_command.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

// The options that a server names when it will never accept anything from here.
constexpr std::array<std::string_view, 3> kForbidding{"(--accept)", "(--publishers)",
                                                      "(--psk-file)"};

}  // namespace

void ControlCommand::read_servers(const Values& values, std::vector<AddressSpec> servers,
                                  Duration patience) {
  options_.servers = std::move(servers);
  options_.connect_timeout = patience;
  if (auto identity = identity_of(values)) {
    options_.tls = TlsContext::client({.psk = std::move(identity)});
  }
}

void ControlCommand::connect(Host& host) {
  host_ = &host;
  TcpClient::Handler& handler = *this;
  client_.emplace(host.loop(), host.log(), std::move(options_), handler);
  client_->start();
}

void ControlCommand::on_connected(TcpClient& client) {
  server_ = client.stream()->peer();
  on_there();
}

void ControlCommand::ask(std::string_view request) {
  log_sent(host_->log(), server_, request);
  client_->stream()->write(request);
}

void ControlCommand::on_data(TcpClient& /*client*/, std::string_view data) {
  log_received(host_->log(), server_, data);
  lines_.feed(data, [this](const Line& line) {
    if (line.too_long) {
      fail(ExitStatus::protocol, "the answer is not that of a push server");
    } else {
      on_answer(line.text);
    }
    return !host_->finishing();
  });
}

void ControlCommand::refuse(std::string_view line, ExitStatus refused) {
  constexpr std::string_view kError = "ERR ";
  const bool is_forbidden = std::ranges::any_of(
      kForbidding, [&](std::string_view option) { return line.find(option) != line.npos; });
  if (line.starts_with(kError) && (is_forbidden || refused != ExitStatus::protocol)) {
    return fail(is_forbidden ? ExitStatus::permission : refused,
                escaped_text(line.substr(kError.size())));
  }
  fail(ExitStatus::protocol,
       fmt::format("the server's answer is '{}'", escaped_text(excerpt(line, 60))));
}

void ControlCommand::fail(ExitStatus status, std::string_view why) {
  host_->finish(status, Outage::sentence(client_->server(), why));
}

void ControlCommand::on_end(TcpClient& client) {
  client.drop("closed by the server", ExitStatus::unreachable);
}

void ControlCommand::on_gave_up(TcpClient& /*client*/, ExitStatus status,
                                const std::string& error) {
  host_->finish(status, error);
}

}  // namespace netkit::push
