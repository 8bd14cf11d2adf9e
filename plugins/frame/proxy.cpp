#include <frame/commands.hpp>
#include <frame/options.hpp>
#include <frame/proxy.hpp>
#include <frame/proxy_session.hpp>

#include <netkit/util/error.hpp>

namespace netkit::frame {

Proxy::Proxy(Host& host, ProxyOptions options)
    : host_(host),
      options_(std::move(options)),
      printer_(host, true, FramePrinter::Mark::direction),
      recorder_(host, options_.record),
      peers_log_(host),
      listening_(host, options_.listen, [this](FileDescriptor socket, const Endpoint& peer) {
        on_accept(std::move(socket), peer);
      }) {
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  host_.ready(listening_.descriptions());
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
  auto session = std::make_unique<ProxySession>(*this, std::move(socket), peer);
  session->slot = sessions_.size();
  sessions_.push_back(std::move(session));
  sessions_.back()->start();
}

void Proxy::remove(ProxySession& session) {
  if (host_.log().enabled(LogLevel::info)) host_.log().info(session.peer().to_string() + " gone");
  const std::size_t slot = session.slot;
  std::unique_ptr<ProxySession> gone = std::move(sessions_[slot]);
  if (slot + 1 != sessions_.size()) {
    sessions_[slot] = std::move(sessions_.back());
    sessions_[slot]->slot = slot;
  }
  sessions_.pop_back();
  host_.loop().destroy_later(std::move(gone));
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
  listening_.close();
  for (std::size_t i = sessions_.size(); i-- > 0;) {
    if (i < sessions_.size()) sessions_[i]->close();
  }
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
