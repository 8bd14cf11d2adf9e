// What `netkit skeleton` offers, and the thin layer between its protocol and the sockets.
#include "protocol.hpp"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/datagram_receiver.hpp>
#include <netkit/net/resolver.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace skeleton_plugin {
namespace {

// `netkit skeleton serve`
class Serve final : public netkit::Command {
 public:
  void configure(const netkit::Values& values) override {
    address_ = values.address("ADDRESS");
    count_ = static_cast<std::uint64_t>(values.integer("count"));
  }

  netkit::ExitStatus run(netkit::Host& host) override {
    host_ = &host;
    netkit::ServerSockets sockets = netkit::open_server_sockets(address_, {.udp = true});
    sockets_ = std::move(sockets.udp);
    for (netkit::UdpSocket& socket : sockets_) {
      watches_.push_back(
          host.loop().watch(socket.fd(), netkit::Interest::read,
                            [this, &socket](netkit::Ready) { on_readable(socket); }));
    }
    host.set_totals([this](netkit::Totals& totals) {
      totals.add("questions", questions_);
      totals.add("ignored", ignored_);
      totals.add("unsent", unsent_);
    });
    std::vector<std::string> lines;
    for (const netkit::UdpSocket& socket : sockets_) {
      lines.push_back("udp " + socket.local().to_string());
    }
    host.ready(lines);
    return host.run_loop();
  }

 private:
  void on_readable(netkit::UdpSocket& socket) {
    for (const netkit::ReceivedMessage& message : receiver_.receive(socket).messages) {
      if (host_->finishing()) return;
      on_datagram(socket, message);
    }
  }

  void on_datagram(netkit::UdpSocket& socket, const netkit::ReceivedMessage& message) {
    const auto answer = answer_to(message.data);
    // Nobody has port 0; an answer to it would be an error.
    if (!answer || message.peer->port() == 0) {
      ++ignored_;
      return;
    }
    ++questions_;
    // What cannot be sent is counted and ends nothing: one peer must not stop the server.
    if (!socket.send_to(*answer, *message.peer).ok()) ++unsent_;
    host_->output().emit({.type = "question",
                          .time = host_->clock().wall(),
                          .peer = message.peer,
                          .payload = message.data.substr(1)});
    if (questions_ == count_) host_->finish(netkit::ExitStatus::done);
  }

  netkit::AddressSpec address_;
  std::uint64_t count_ = 0;  // 0: without end
  netkit::Host* host_ = nullptr;
  std::vector<netkit::UdpSocket> sockets_;
  netkit::DatagramReceiver receiver_;
  std::uint64_t questions_ = 0;
  std::uint64_t ignored_ = 0;
  std::uint64_t unsent_ = 0;
  std::vector<netkit::Watch> watches_;  // the last member: they go before what they watch
};

// `netkit skeleton ask`
class Ask final : public netkit::Command {
 public:
  void configure(const netkit::Values& values) override {
    address_ = values.address("ADDRESS");
    text_ = values.text("TEXT");
    wait_ = values.duration("wait");
  }

  netkit::ExitStatus run(netkit::Host& host) override {
    host_ = &host;
    const netkit::Endpoint peer = netkit::resolve(address_).front();
    socket_ = netkit::UdpSocket(peer.family());
    socket_.connect(peer);
    const netkit::IoResult sent = socket_.send(make_question(text_));
    if (!sent.ok()) throw netkit::SystemError(sent.error, "cannot send to " + peer.to_string());
    watch_ = host.loop().watch(socket_.fd(), netkit::Interest::read,
                               [this, peer](netkit::Ready) { on_readable(peer); });
    overdue_ = host.loop().after(
        wait_, [this] { host_->finish(netkit::ExitStatus::no, "there was no answer"); });
    return host.run_loop();
  }

 private:
  void on_readable(const netkit::Endpoint& peer) {
    char buffer[netkit::DatagramReceiver::kMaxDatagram];
    const netkit::IoResult got = socket_.receive(buffer, sizeof buffer, nullptr);
    if (got.would_block()) return;
    if (!got.ok()) {
      host_->finish(netkit::exit_status_of(got.error),
                    peer.to_string() + ": " + netkit::error_text(got.error));
      return;
    }
    const auto text = answer_text({buffer, got.count});
    if (!text) return;  // somebody else's; the answer may still come
    host_->output().emit(
        {.type = "answer", .time = host_->clock().wall(), .peer = &peer, .payload = *text});
    host_->finish(netkit::ExitStatus::done);
  }

  netkit::AddressSpec address_;
  std::string text_;
  netkit::Duration wait_{};
  netkit::Host* host_ = nullptr;
  netkit::UdpSocket socket_;
  netkit::Watch watch_;
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
