#include <algorithm>
#include <chat/peer_command.hpp>
#include <chat/typed_line.hpp>

#include <fmt/format.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>

namespace netkit::chat {

void PeerCommand::configure(const Values& values) {
  bind_ = values.address("bind");
  peer_specs_ = values.addresses("PEER");
  history_path_ = values.text("history");
  wait_ = values.duration("wait");
}

void PeerCommand::on_datagram(const datagram::Path& from, std::string_view datagram,
                              TimePoint /*now*/) {
  ++received_;
  const WallTime time = host_->clock().wall();
  host_->output().emit({.type = "message", .time = time, .peer = &from.peer, .payload = datagram});
  history_->add('<', from.peer.to_string(), datagram, time);
}

bool PeerCommand::drain(datagram::OutputQueue& queue, TimePoint now) {
  const bool more = out_.drain(queue, now);
  if (!more && std::exchange(waiting_, false) && input_) input_->resume();
  return more;
}

void PeerCommand::on_refused(const Endpoint& to, int error) {
  ++unsendable_;
  host_->log().notice(fmt::format("cannot send to {}: {}", to.to_string(), error_text(error)));
}

void PeerCommand::on_input_line(std::string_view line) {
  had_input_ = true;
  const TypedLine typed = read_peer_line(line, host_->interactive());
  if (const Request* said = std::get_if<Request>(&typed)) return say(text_of(*said));
  if (const TypedTo* to = std::get_if<TypedTo>(&typed)) return change_peer(to->address);
  if (std::holds_alternative<TypedPeers>(typed)) return list_peers();
  if (std::holds_alternative<TypedHelp>(typed)) return help();
  if (std::holds_alternative<TypedQuit>(typed)) return host_->finish(ExitStatus::done);
  if (const TypedMistake* wrong = std::get_if<TypedMistake>(&typed)) {
    host_->log().error(wrong->why);
  }
}

// One datagram to each; the bytes are shared.
void PeerCommand::say(std::string_view text) {
  if (peers_.empty()) return host_->log().error("there is no peer: set one with /to HOST:PORT");
  const WallTime time = host_->clock().wall();
  for (const Endpoint& peer : peers_) {
    ++sent_;
    history_->add('>', peer.to_string(), text, time);
  }
  out_.say(text);
  out_.settle(std::vector<datagram::Path>(peers_.begin(), peers_.end()));
  if (out_.waiting() >= kMaxQueue && !waiting_ && input_) {
    waiting_ = true;
    input_->pause();
  }
}

// The lines behind this one are for the new peer, so they wait until its address is known.
void PeerCommand::change_peer(std::string_view address) {
  try {
    const AddressSpec spec = AddressSpec::parse(address, AddressRole::client);
    input_->pause();
    resolver_->resolve(spec, [this](const std::vector<Endpoint>& found, const std::string& error) {
      if (found.empty()) {
        host_->log().error(error);
      } else {
        peers_.assign(1, reachable(found));
        host_->log().notice(fmt::format("talking to {}", peers_.front().to_string()));
      }
      input_->resume();
    });
  } catch (const UsageError& error) {
    host_->log().error(error.what());
  }
}

bool PeerCommand::can_reach(const Endpoint& peer) const {
  return std::find(families_.begin(), families_.end(), peer.family()) != families_.end();
}

// It sends from the address it is bound to, so a name's addresses of the other family are no use.
// Where there are no others, sending says so.
Endpoint PeerCommand::reachable(const std::vector<Endpoint>& found) const {
  const auto at = std::find_if(found.begin(), found.end(),
                               [this](const Endpoint& peer) { return can_reach(peer); });
  return at != found.end() ? *at : found.front();
}

void PeerCommand::list_peers() {
  if (peers_.empty()) host_->log().notice("no peers");
  for (const Endpoint& peer : peers_) host_->log().notice(fmt::format("peer {}", peer.to_string()));
}

void PeerCommand::help() {
  host_->log().notice(
      "/to HOST:PORT changes the peer, /peers lists them, /quit leaves, //x sends /x");
}

void PeerCommand::on_input_end() {
  if (host_->interactive()) return host_->finish(ExitStatus::done);
  if (!had_input_) return;  // nothing to say: a listener
  end_ = host_->loop().after(wait_, [this] { host_->finish(ExitStatus::done); });
}

ExitStatus PeerCommand::run(Host& host) {
  host_ = &host;
  ServerSocketOptions sockets;
  sockets.udp = true;
  ServerSockets opened = open_server_sockets(bind_, sockets);
  const std::vector<std::string> descriptions = opened.descriptions();
  for (const UdpSocket& socket : opened.udp) families_.push_back(socket.local().family());
  for (const AddressSpec& spec : peer_specs_) peers_.push_back(reachable(resolve(spec)));
  history_ = std::make_unique<History>(host.log());
  history_->open(history_path_);
  resolver_ = std::make_unique<AsyncResolver>(host.loop());
  UdpServer::Options server;
  server.log = &host.log();
  server.policy.any_source = true;
  driver_ = std::make_unique<datagram::Driver>(host.loop(), std::move(opened.udp), *this, server);
  host.set_totals([this](Totals& totals) {
    totals.add("received", received_);
    totals.add("sent", sent_);
    totals.add("unsendable", unsendable_);
    totals.add("kernel_drops", driver_->sockets().kernel_drops());
    totals.add("history_lost", history_->lost());
  });
  host.on_stop([&host](StopReason) { host.finish(ExitStatus::done); });
  host.ready(descriptions);
  Input::Options options;
  options.history = "chat_peer_history";
  options.complete = [&host](std::string_view line, std::string_view word) {
    return complete_line(line, word, peer_commands(host.interactive()), {});
  };
  input_ = Input::open(host, *this, std::move(options));
  const ExitStatus status = host.run_loop();
  input_.reset();
  driver_->flush();
  return history_->outcome(status);
}

}  // namespace netkit::chat
