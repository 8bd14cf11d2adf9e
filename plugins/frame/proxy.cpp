#include <frame/commands.hpp>
#include <frame/options.hpp>
#include <frame/proxy.hpp>
#include <frame/proxy_session.hpp>
#include <string>
#include <vector>

#include <netkit/util/error.hpp>

namespace netkit::frame {

Proxy::Proxy(Host& host, ProxyOptions options)
    : host_(host),
      options_(std::move(options)),
      printer_(host, true, FramePrinter::Mark::direction),
      recorder_(host, options_.record),
      peers_log_(host.loop(), host.log()),
      listeners_(host.loop(), host.log(), options_.listen,
                 [this](FileDescriptor socket, const Endpoint& peer) {
                   on_accept(std::move(socket), peer);
                 }) {
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  host_.ready(listeners_.descriptions());
}

Proxy::~Proxy() = default;

void Proxy::on_accept(FileDescriptor socket, const Endpoint& peer) {
  if (sessions_.size() >= options_.max_clients) {
    ++refused_;
    return peers_log_.notice(peer.to_string() + " refused: there are " +
                             counted(sessions_.size(), "client") + " (--max-clients)");
  }
  ++connections_;
  if (host_.log().enabled(LogLevel::info)) host_.log().info(peer.to_string() + " connected");
  sessions_.add(std::make_unique<ProxySession>(*this, std::move(socket), peer)).start();
}

void Proxy::remove(ProxySession& session) {
  if (host_.log().enabled(LogLevel::info)) host_.log().info(session.peer().to_string() + " gone");
  host_.loop().destroy_later(sessions_.take(session));
}

void Proxy::fill_totals(Totals& totals) const {
  constexpr auto kOut = static_cast<std::size_t>(Direction::to_server);
  constexpr auto kIn = static_cast<std::size_t>(Direction::to_client);
  totals.gauge("clients", sessions_.size());
  totals.add("connections", connections_);
  totals.add("refused", refused_);
  totals.add("failures", failures_);
  totals.add("frames_out", frames_[kOut]);
  totals.add("frames_in", frames_[kIn]);
  totals.add("undecoded", undecoded_);
  totals.add("bytes_out", bytes_[kOut]);
  totals.add("bytes_in", bytes_[kIn]);
}

void Proxy::stop() {
  listeners_.close();
  sessions_.for_each([](ProxySession& session) { session.close(); });
  host_.finish(ExitStatus::done);
}

namespace {

class ProxyCommand final : public Command {
 public:
  void configure(const Values& values) override {
    std::vector<std::string> arguments = values.arguments();
    options_.listen = take_address(arguments, AddressRole::server);
    options_.target = take_address(arguments, AddressRole::client);
    options_.codec = codec_option(values);
    options_.max_frame = max_frame_option(values);
    options_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
    options_.connect_timeout = values.duration("connect-timeout");
    options_.record = values.text("record");
  }

  ExitStatus run(Host& host) override {
    const Proxy proxy(host, options_);
    return host.run_loop();
  }

 private:
  ProxyOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_proxy() {
  return std::make_unique<ProxyCommand>();
}

}  // namespace netkit::frame
