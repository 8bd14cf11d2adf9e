#include <echo/tcp_responder.hpp>
#include <memory>
#include <utility>

namespace netkit::echo {

namespace {

TcpServer::Options options_of(const ServeSettings& settings, ClientCount& clients) {
  return {.access = settings.access,
          .max_clients = settings.max_clients,
          .shared_count = &clients,
          .rate = settings.rate,
          .idle_timeout = settings.idle_timeout};
}

}  // namespace

class TcpResponder::Client final : public TcpServer::Connection {
 public:
  explicit Client(TcpResponder& responder) : responder_(responder) {}

 private:
  void on_received(std::string_view data) override { responder_.answer(*this, data); }

  TcpResponder& responder_;
};

TcpResponder::TcpResponder(EventLoop& loop, std::vector<FileDescriptor> listening,
                           const ServeSettings& settings, ClientCount& clients, Printer& printer,
                           Spinner& spinner, const Log& log)
    : settings_(settings),
      printer_(printer),
      spinner_(spinner),
      server_(loop, log, options_of(settings, clients),
              [this](const Endpoint&) { return std::make_unique<Client>(*this); }) {
  for (FileDescriptor& socket : listening) server_.listen(std::move(socket));
}

void TcpResponder::answer(Client& client, std::string_view data) {
  ++counters_.received;
  counters_.bytes_received += data.size();
  spinner_.count();
  const bool unchanged = settings_.reply.is_payload_only();
  std::string_view answer = data;
  if (!unchanged || printer_.wanted()) {
    const Endpoint peer = client.peer();
    const Message message{"tcp", ++number_, server_.loop().clock().wall(), &peer, data};
    if (!unchanged) {
      rendered_.clear();
      with_record(message, [this](const Record& record) {
        settings_.reply.render(record, rendered_, Escaping::none);
      });
      answer = rendered_;
    }
    if (printer_.wanted()) printer_.print(message);
  }
  ++counters_.sent;
  counters_.bytes_sent += answer.size();
  client.write(answer);
}

void TcpResponder::add_to(ServeCounters& counters) const {
  counters += counters_;
  const TcpServer::Counters& server = server_.counters();
  counters.accepted += server.accepted;
  counters.refused_clients += server.refused;
  counters.refused[static_cast<std::size_t>(Refusal::denied)] += server.denied;
  counters.idle_clients += server.idle;
  counters.delayed += server.delayed;
  counters.clients += server_.size();
}

}  // namespace netkit::echo
