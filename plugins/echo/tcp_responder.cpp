#include <algorithm>
#include <echo/tcp_responder.hpp>
#include <utility>

#include <netkit/net/wire_log.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/random.hpp>

namespace netkit::echo {

class TcpResponder::Client final : public ByteStream::Handler {
 public:
  Client(TcpResponder& server, TimePoint now) : server_(server), last_(now) {}

  // `self` is where the list has it.
  void start(std::unique_ptr<ByteStream> stream, Clients::iterator self) {
    stream_ = std::move(stream);
    self_ = self;
  }

  ByteStream& stream() { return *stream_; }
  Clients::iterator self() const { return self_; }
  TimePoint last() const { return last_; }
  void touch(TimePoint now) { last_ = now; }

  void hold(EventLoop& loop, Duration delay) {
    stream_->pause_reading();
    held_ = loop.after(delay, [this] { resume(); });
  }

 private:
  void on_data(ByteStream&, std::string_view data) override { server_.on_data(*this, data); }
  void on_end(ByteStream& stream) override { stream.close(); }  // once all is echoed
  void on_closed(ByteStream&, int, std::string_view) override { server_.remove(*this); }
  void on_high_water(ByteStream& stream) override {
    full_ = true;
    stream.pause_reading();
  }
  void on_low_water(ByteStream&) override {
    full_ = false;
    resume();
  }
  void resume() {
    if (!full_ && !held_.pending()) stream_->resume_reading();
  }

  TcpResponder& server_;
  std::unique_ptr<ByteStream> stream_;
  Clients::iterator self_;
  TimePoint last_;  // when it said something
  Timer held_;      // by its rate
  bool full_ = false;
};

TcpResponder::TcpResponder(EventLoop& loop, FileDescriptor listening, const ServeSettings& settings,
                           ClientCount& clients, Printer& printer, const Log& log)
    : loop_(loop),
      settings_(settings),
      count_(clients),
      printer_(printer),
      log_(log),
      limiter_({.per_second = settings.rate}),
      listener_(
          loop, std::move(listening),
          [this](FileDescriptor socket, const Endpoint& peer) {
            on_accept(std::move(socket), peer);
          },
          [this](int error) { on_exhausted(error); }) {}

TcpResponder::~TcpResponder() {
  count_ -= clients_.size();
}

// What every refused client would say again is said once a second.
bool TcpResponder::say_now() {
  if (said_ != TimePoint::min() && loop_.now() - said_ < std::chrono::seconds(1)) return false;
  said_ = loop_.now();
  return true;
}

void TcpResponder::on_exhausted(int error) {
  ++counters_.refused_clients;
  log_.notice("cannot accept: " + error_text(error) + " (--max-clients limits how many there are)");
}

bool TcpResponder::admit(const Endpoint& peer) {
  if (!settings_.access.permits(peer.address())) {
    ++counters_.refused[static_cast<std::size_t>(Refusal::denied)];
    return false;
  }
  if (count_.fetch_add(1) < settings_.max_clients) return true;
  --count_;
  ++counters_.refused_clients;
  if (say_now()) {
    log_.notice("refused " + peer.to_string() + ": --max-clients " +
                std::to_string(settings_.max_clients) + " are here");
  }
  return false;
}

void TcpResponder::on_accept(FileDescriptor socket, const Endpoint& peer) {
  if (!admit(peer)) return;
  ++counters_.accepted;
  apply({.no_delay = true, .keepalive = true}, socket.get());
  Client& client = clients_.emplace_back(*this, loop_.now());
  client.start(make_tcp_stream(loop_, std::move(socket), peer, client), std::prev(clients_.end()));
  if (log_.enabled(LogLevel::info)) log_.info(peer.to_string() + " connected");
  if (clients_.size() == 1) watch_idle();
}

void TcpResponder::remove(Client& client) {
  if (log_.enabled(LogLevel::info)) log_.info(client.stream().peer().to_string() + " closed");
  --count_;
  clients_.erase(client.self());
}

void TcpResponder::on_data(Client& client, std::string_view data) {
  ++counters_.received;
  counters_.bytes_received += data.size();
  log_received(log_, client.stream().peer(), data);
  if (settings_.idle_timeout != kNever) {
    client.touch(loop_.now());
    clients_.splice(clients_.end(), clients_, client.self());
  }
  reply(client, data);
}

void TcpResponder::reply(Client& client, std::string_view data) {
  const bool unchanged = settings_.reply.is_payload_only();
  std::string_view answer = data;
  if (!unchanged || printer_.wanted()) {
    const Endpoint peer = client.stream().peer();
    const Message message{"tcp", ++number_, loop_.clock().wall(), &peer, data};
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
  if (settings_.rate > 0) hold_to_rate(client);
  log_sent(log_, client.stream().peer(), answer);
  client.stream().write(answer);  // the last thing: it may find the connection closed
}

// A stream cannot leave anything out, so a client over its rate waits for its next turn.
void TcpResponder::hold_to_rate(Client& client) {
  if (limiter_.allow(client.stream().peer().address(), loop_.now())) return;
  ++counters_.delayed;
  const auto turn = std::chrono::duration<double>(1 / settings_.rate);
  client.hold(loop_, std::chrono::duration_cast<Duration>(turn));
}

void TcpResponder::watch_idle() {
  if (settings_.idle_timeout == kNever || clients_.empty()) return;
  idle_timer_ = loop_.at(saturating_add(clients_.front().last(), settings_.idle_timeout),
                         [this] { close_idle(); });
}

void TcpResponder::close_idle() {
  const TimePoint now = loop_.now();
  while (!clients_.empty() &&
         saturating_add(clients_.front().last(), settings_.idle_timeout) <= now) {
    Client& client = clients_.front();
    ++counters_.idle_clients;
    client.stream().abort();
    remove(client);
  }
  watch_idle();
}

void TcpResponder::add_to(ServeCounters& counters) const {
  counters += counters_;
  counters.clients += clients_.size();
}

}  // namespace netkit::echo
