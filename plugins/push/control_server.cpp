#include <push/control_line.hpp>
#include <push/control_server.hpp>
#include <push/roster_line.hpp>
#include <set>
#include <utility>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/wire_log.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>

namespace netkit::push {

namespace {

constexpr std::size_t kMaxNames = 4096;  // that one connection may hold

}  // namespace

class ControlServer::Client final : public ByteStream::Handler {
 public:
  Client(ControlServer& server, std::uint64_t number)
      : server_(server), id(number), lines_(kMaxControlLine) {}

  // `self` is where the list has it.
  void start(std::unique_ptr<ByteStream> stream, Clients::iterator at) {
    stream_ = std::move(stream);
    self = at;
  }
  ByteStream& stream() { return *stream_; }
  // The last thing of what handles a line: it may find the connection closed.
  void answer(std::string_view text) {
    log_sent(server_.log_, stream_->peer(), text);
    stream_->write(text);
  }

 private:
  void on_data(ByteStream& stream, std::string_view data) override {
    log_received(server_.log_, stream.peer(), data);
    lines_.feed(data, [this](const Line& line) { take(line); });
    if (!open_) stream.close();
  }
  // What a script that has no newline at its end asked last.
  void on_end(ByteStream& stream) override {
    lines_.finish([this](const Line& line) { take(line); });
    stream.close();
  }
  void take(const Line& line) {
    if (!open_) return;
    if (line.too_long) {
      answer("ERR a line has at most 512 bytes\n");
      open_ = false;
    } else {
      open_ = server_.on_line(*this, line.text);
    }
  }
  // A peer that asks without reading its answers is not read either.
  void on_high_water(ByteStream& stream) override { stream.pause_reading(); }
  void on_low_water(ByteStream& stream) override { stream.resume_reading(); }
  void on_closed(ByteStream&, int, std::string_view) override { server_.remove(*this); }

  ControlServer& server_;
  std::unique_ptr<ByteStream> stream_;

 public:
  const std::uint64_t id;
  Clients::iterator self;
  std::set<std::string, std::less<>> names;

 private:
  LineDecoder lines_;
  bool open_ = true;
};

ControlServer::ControlServer(EventLoop& loop, FileDescriptor listening, Hub& hub,
                             std::size_t max_clients, const Log& log)
    : loop_(loop),
      hub_(hub),
      max_clients_(max_clients),
      log_(log),
      listener_(
          loop, std::move(listening),
          [this](FileDescriptor socket, const Endpoint& peer) {
            on_accept(std::move(socket), peer);
          },
          [this](int error) {
            ++counters_.refused;
            log_.notice("cannot accept: " + error_text(error));
          }) {}

ControlServer::~ControlServer() = default;

// What every refused client would say again is said once a second.
void ControlServer::say_refused(const std::string& line) {
  if (said_ != TimePoint::min() && loop_.now() - said_ < std::chrono::seconds(1)) return;
  said_ = loop_.now();
  log_.notice(line);
}

void ControlServer::on_accept(FileDescriptor socket, const Endpoint& peer) {
  if (clients_.size() >= max_clients_) {
    ++counters_.refused;
    say_refused("refused " + peer.to_string() + ": --max-clients " + std::to_string(max_clients_) +
                " are here");
    return;
  }
  ++counters_.accepted;
  apply({.no_delay = true, .keepalive = true}, socket.get());
  Client& client = clients_.emplace_back(*this, ++last_id_);
  client.start(make_tcp_stream(loop_, std::move(socket), peer, client), std::prev(clients_.end()));
  if (log_.enabled(LogLevel::info)) log_.info(peer.to_string() + " connected");
}

bool ControlServer::on_line(Client& client, std::string_view line) {
  const ControlLine command = parse_control(line);
  using Verb = ControlLine::Verb;
  if (command.verb == Verb::empty) return true;
  if (command.verb == Verb::list || command.verb == Verb::status) {
    answer_roster(client, command.verb == Verb::status);
    return true;
  }
  std::string_view error = command.error;
  if (command.verb == Verb::subscribe) {
    const Endpoint address = client.stream().peer().with_port(command.port);
    if (client.names.size() >= kMaxNames && !client.names.contains(command.name)) {
      error = "this connection holds too many names";
    } else {
      error = hub_.subscribe(command.name, address, client.id, loop_.now());
      if (error.empty()) client.names.emplace(command.name);
    }
  } else if (command.verb == Verb::unsubscribe) {
    if (!hub_.unsubscribe(command.name)) error = "no subscriber has that name";
    const auto held = client.names.find(command.name);
    if (held != client.names.end()) client.names.erase(held);
  }
  answer_ = error.empty() ? "OK\n" : "ERR " + std::string(error) + "\n";
  client.answer(answer_);
  return command.verb != Verb::quit;
}

void ControlServer::answer_roster(Client& client, bool with_numbers) {
  answer_ = "OK ";
  append_unsigned(answer_, hub_.size());
  answer_ += '\n';
  hub_.for_each_row(loop_.now(), [&](const RosterRow& row) {
    if (with_numbers) {
      append_status_row(answer_, row);
    } else {
      append_list_row(answer_, row);
    }
  });
  client.answer(answer_);
}

void ControlServer::remove(Client& client) {
  if (log_.enabled(LogLevel::info)) log_.info(client.stream().peer().to_string() + " closed");
  for (const std::string& name : client.names) hub_.release(name, client.id);
  clients_.erase(client.self);
}

}  // namespace netkit::push
