// What `netkit skeleton` offers, and the thin layer between its protocol and the sockets.
#include "protocol.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/net/server_sockets.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/net/udp_server.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace skeleton_plugin {
namespace {

// `netkit skeleton serve`
class Serve final : public netkit::Command, private netkit::UdpServer::Handler {
 public:
  void configure(const netkit::Values& values) override {
    address_ = values.address("ADDRESS");
    count_ = static_cast<std::uint64_t>(values.integer("count"));
  }

  netkit::ExitStatus run(netkit::Host& host) override {
    host_ = &host;
    netkit::ServerSockets sockets = netkit::open_server_sockets(address_, {.udp = true});
    const std::vector<std::string> lines = sockets.descriptions();
    netkit::UdpServer::Options options;
    options.log = &host.log();
    netkit::UdpServer::Handler& handler = *this;
    server_.emplace(host.loop(), std::move(sockets.udp), handler, options);
    host.set_totals([this](netkit::Totals& totals) {
      totals.add("questions", questions_);
      totals.add("ignored", ignored_);
      totals.add("unsent", server_->sent().refused);
    });
    host.ready(lines);
    return host.run_loop();
  }

 private:
  void on_datagram(const netkit::ReceivedMessage& from, std::string_view datagram) override {
    if (host_->finishing()) return;
    const auto answer = answer_to(datagram);
    if (!answer) {
      ++ignored_;
      return;
    }
    ++questions_;
    server_->answer(from, *answer);
    host_->output().emit({.type = "question",
                          .time = host_->clock().wall(),
                          .peer = from.peer,
                          .payload = datagram.substr(1)});
    if (questions_ == count_) host_->finish(netkit::ExitStatus::done);
  }

  void on_refused(const netkit::ReceivedMessage& message, netkit::Refusal) override {
    ignored_ += message.segments();
  }

  netkit::AddressSpec address_;
  std::uint64_t count_ = 0;  // 0: without end
  netkit::Host* host_ = nullptr;
  std::uint64_t questions_ = 0;
  std::uint64_t ignored_ = 0;
  std::optional<netkit::UdpServer> server_;
};

// `netkit skeleton ask`
class Ask final : public netkit::Command, private netkit::UdpClient::Handler {
 public:
  void configure(const netkit::Values& values) override {
    servers_ = values.addresses("ADDRESS");
    text_ = values.text("TEXT");
    wait_ = values.duration("wait");
  }

  netkit::ExitStatus run(netkit::Host& host) override {
    host_ = &host;
    netkit::UdpClient::Options options;
    options.log = &host.log();
    netkit::UdpClient::Handler& handler = *this;
    client_.emplace(host.loop(), servers_, handler, options);
    ask();
    overdue_ = host.loop().after(
        wait_, [this] { host_->finish(netkit::ExitStatus::no, "there was no answer"); });
    return host.run_loop();
  }

 private:
  void ask() { client_->send_now(make_question(text_)); }

  void on_datagram(std::string_view datagram) override {
    const auto text = answer_text(datagram);
    if (!text) return;  // somebody else's; the answer may still come
    host_->output().emit({.type = "answer",
                          .time = host_->clock().wall(),
                          .peer = &client_->peer(),
                          .payload = *text});
    host_->finish(netkit::ExitStatus::done);
  }

  // The server's name has several addresses, and the one before refused.
  void on_next_address(int) override { ask(); }

  void on_refused(int error) override {
    host_->finish(netkit::exit_status_of(error),
                  client_->peer().to_string() + ": " + netkit::error_text(error));
  }

  std::vector<netkit::AddressSpec> servers_;
  std::string text_;
  netkit::Duration wait_{};
  netkit::Host* host_ = nullptr;
  std::optional<netkit::UdpClient> client_;
  netkit::Timer overdue_;
};

netkit::ActionDef serve_action() {
  return {.name = "serve",
          .summary = "answer questions in capitals",
          .description = "Answers each question that comes by UDP, and prints it.",
          .arguments = {{.name = "ADDRESS",
                         .kind = netkit::ValueKind::listen_address,
                         .default_value = "127.0.0.1:7700",
                         .optional = true,
                         .help = "where to listen"}},
          .common = netkit::kOutputOptions | netkit::kServerOptions | netkit::kCountOption,
          .records = {{.type = "question", .help = "one a question", .layout = "{peer} {text}"}},
          .totals = {{"questions", "questions that were answered"},
                     {"ignored", "datagrams that are no question"},
                     {"unsent", "answers that could not be sent"}},
          .examples = {{"netkit skeleton serve", "answers on loopback"},
                       {"netkit skeleton serve :7700 -q", "on every interface, and prints none"}},
          .lifetime = netkit::Lifetime::until_told,
          .quiet_hides_records = true,
          .make = netkit::new_command<Serve>};
}

netkit::ActionDef ask_action() {
  return {
      .name = "ask",
      .summary = "ask a server, and print its answer",
      .description = "Sends TEXT and waits for the answer.",
      .arguments = {{.name = "ADDRESS", .kind = netkit::ValueKind::address, .help = "who is asked"},
                    {.name = "TEXT", .help = "what to ask"}},
      .common = netkit::kOutputOptions | netkit::kWaitOption,
      // A common option with a default of its own.
      .options = {{.name = "wait", .default_value = "1s"}},
      .records = {{.type = "answer", .help = "the answer"}},
      .examples = {{"netkit skeleton ask 7700 hello", "prints HELLO"}},
      .make = netkit::new_command<Ask>};
}

}  // namespace

std::vector<netkit::ActionDef> make_actions() {
  return {serve_action(), ask_action()};
}

}  // namespace skeleton_plugin

NETKIT_PLUGIN(skeleton, "answers questions in capitals", skeleton_plugin::make_actions)
