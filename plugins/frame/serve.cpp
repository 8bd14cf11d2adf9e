// `frame serve`: all clients on one loop.
#include <algorithm>
#include <array>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <frame/message.hpp>
#include <frame/server_session.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <netkit/io/input.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

struct ServeOptions {
  AddressSpec address;
  ServerOptions session;  // accept_custom: --broadcast
  TcpServer::Options server;
  std::optional<TlsServerOptions> tls;
  std::size_t max_queue = 1U << 20U;  // what may wait for one client before messages to it are lost
  std::string record;                 // file; empty: none
  bool show_heartbeats = false;
};

struct Counters {
  std::uint64_t frames = 0;
  std::array<std::uint64_t, ServerReply::kKinds> kinds{};  // of the frames
  std::uint64_t errors = 0;                                // answered with -1
  std::uint64_t pushed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t frame_timeouts = 0;
  std::uint64_t idle_timeouts = 0;
  std::uint64_t bytes_in = 0;
};

std::vector<std::string> complete(std::string_view, std::string_view word) {
  return complete_word(word, {"/who", "raw:hex:"});
}

class FrameServer final : private Input::Handler {
 public:
  // Binds its sockets; throws SystemError, Error.
  FrameServer(Host& host, ServeOptions options);

 private:
  class Client;

  void on_input_line(std::string_view line) override;
  void on_input_end() override {}
  bool on_long_line() override;

  TcpServer::Options server_options() const;
  void on_request(Client& client, const ServerReply& reply);
  void handle_request(Client& client, const ServerReply& reply);
  void print_request(const Client& client, const ServerReply& reply, FramePrinter::Where where);
  void push_to_all(std::string_view head, std::string_view body, const Client* except);
  void list_client(const Client& client);
  void fill_totals(Totals& totals) const;
  void stop();
  std::string_view datetime();

  Host& host_;
  ServeOptions options_;
  FrameEncoder encoder_;
  FramePrinter printer_;
  Recorder recorder_;
  Counters counters_;
  TimeFormatter time_;
  std::string datetime_;
  ByteBuffer answers_;  // of the client whose data are being read
  bool printing_;       // requests, as records
  bool examined_;       // each request, for records or -v
  TcpServer server_;
  std::unique_ptr<Input> input_;
};

// One connection. An idle one costs a few hundred bytes.
class FrameServer::Client final : public TcpServer::Connection {
 public:
  Client(FrameServer& server, const Endpoint& peer)
      : server_(server),
        session_(server.options_.session, server.encoder_, server.host_.loop().now()),
        since_(server.host_.loop().now()),
        connection_(server.recorder_.next_connection()),
        peer_(peer) {}

  // False if too much waits for this client already.
  bool push(const SharedPayload& payload);

  const Endpoint& peer() const { return peer_; }
  TimePoint since() const { return since_; }
  std::uint64_t frames() const { return frames_; }
  const std::string& identity() const { return identity_; }  // appid and imei, or empty
  void set_identity(std::string_view identity) { identity_ = identity; }

 private:
  void on_open(std::string_view /*alpn*/) override { arm(); }
  void on_received(std::string_view data) override;
  void on_half_closed() override;

  void refuse(const std::string& reason);
  void arm();
  void on_deadline();

  FrameServer& server_;
  ServerSession session_;
  Timer timer_;
  TimePoint armed_ = TimePoint::max();
  TimePoint since_;
  std::uint64_t frames_ = 0;
  std::uint64_t connection_;  // its number in the recording
  std::string identity_;
  Endpoint peer_;
};

bool FrameServer::Client::push(const SharedPayload& payload) {
  if (closing() || stream().queued() > server_.options_.max_queue) return false;
  server_.recorder_.record(connection_, Direction::to_client, *payload);
  write(payload);
  return true;
}

void FrameServer::Client::on_received(std::string_view data) {
  server_.counters_.bytes_in += data.size();
  server_.recorder_.record(connection_, Direction::to_server, data);
  if (server_.printing_) server_.printer_.tick();
  ByteBuffer& answers = server_.answers_;
  answers.clear();
  const auto take = [this](const ServerReply& reply) {
    ++frames_;
    server_.on_request(*this, reply);
  };
  const FrameError error =
      session_.on_data(server_.host_.loop().now(), data, server_.datetime(), answers, take);
  if (!answers.empty()) {
    server_.recorder_.record(connection_, Direction::to_client, answers.view());
    write(answers.view());
  }
  if (!error) return arm();
  ++server_.counters_.protocol_errors;
  refuse(error.text());
}

void FrameServer::Client::on_half_closed() {
  if (session_.pending() > 0) {
    ++server_.counters_.protocol_errors;
    server().notice(
        cut_off(peer_.to_string() + " closed", session_.pending(), session_.pending_total()));
  }
  close();
}

void FrameServer::Client::refuse(const std::string& reason) {
  const std::string why = wrong_peer_text(session_.opening(), reason);
  server().notice(fmt::format("{} closed: {}", peer_.to_string(), why));
  timer_.reset();
  close();
}

// A deadline that moves back is left to be found out when the timer runs: most of them move with
// every byte that comes.
void FrameServer::Client::arm() {
  const TimePoint deadline = session_.next_deadline();
  if (deadline >= armed_) return;
  armed_ = deadline;
  timer_ = server_.host_.loop().at(deadline, [this] { on_deadline(); });
}

void FrameServer::Client::on_deadline() {
  armed_ = TimePoint::max();
  if (closing()) return;
  const ServerOptions& options = server_.options_.session;
  switch (session_.expired(server_.host_.loop().now())) {
    case ServerSession::Expired::none:
      return arm();
    case ServerSession::Expired::frame:
      ++server_.counters_.frame_timeouts;
      return refuse(fmt::format("a frame took longer than {} (--frame-timeout): {} of {} came",
                                format_duration(options.frame_timeout), session_.pending(),
                                counted(session_.pending_total(), "byte")));
    case ServerSession::Expired::idle:
      ++server_.counters_.idle_timeouts;
      return refuse(
          fmt::format("silent for {} (--idle-timeout)", format_duration(options.idle_timeout)));
  }
}

FrameServer::FrameServer(Host& host, ServeOptions options)
    : host_(host),
      options_(std::move(options)),
      encoder_(options_.session.codec),
      printer_(host, true, FramePrinter::Mark::none),
      recorder_(host, "frame", options_.record),
      printing_(!host.quiet() && printer_.wanted()),
      examined_(printing_ || host.log().enabled(LogLevel::info)),
      server_(host.loop(), host.log(), server_options(),
              [this](const Endpoint& peer) { return std::make_unique<Client>(*this, peer); }) {
  server_.listen(options_.address);
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  if (may_read_input() && is_input_open()) {
    input_ = Input::open(host_, *this,
                         {.history = "frame-serve",
                          .max_line = max_message_line(options_.session.max_frame),
                          .complete = complete});
  }
  host_.ready(server_.descriptions());
}

TcpServer::Options FrameServer::server_options() const {
  TcpServer::Options options = options_.server;
  options.handshake_timeout = options_.session.frame_timeout;
  options.handshake_option = "--frame-timeout";
  if (options_.tls) options.tls = TlsContext::server(*options_.tls);
  return options;
}

std::string_view FrameServer::datetime() {
  datetime_.clear();
  time_.append_local_date(datetime_, host_.clock().wall());
  return datetime_;
}

// Inline for what a server does most: answer and count.
inline void FrameServer::on_request(Client& client, const ServerReply& reply) {
  ++counters_.frames;
  ++counters_.kinds[static_cast<std::size_t>(reply.kind)];
  if (reply.error != kOk) ++counters_.errors;
  const bool counted_only = reply.kind != ServerReply::Kind::registered &&
                            (reply.kind != ServerReply::Kind::custom || reply.error != kOk);
  if (examined_ || !counted_only) handle_request(client, reply);
}

void FrameServer::handle_request(Client& client, const ServerReply& reply) {
  using Kind = ServerReply::Kind;
  if (reply.kind == Kind::registered) client.set_identity(reply.body);
  const bool shown = reply.kind != Kind::heartbeat || options_.show_heartbeats;
  if (shown ? printing_ : host_.log().enabled(LogLevel::info)) {
    print_request(client, reply, shown ? FramePrinter::Where::output : FramePrinter::Where::log);
  }
  if (reply.kind == Kind::custom && reply.error == kOk) {
    const auto head = answer_head(reply.id, kOk);
    push_to_all({head.data(), head.size()}, reply.body, &client);
  }
}

void FrameServer::print_request(const Client& client, const ServerReply& reply,
                                FramePrinter::Where where) {
  ShownFrame frame;
  frame.dir = "in";
  frame.peer = &client.peer();
  frame.id = reply.id;
  frame.body = reply.body;
  frame.length = reply.body.size() + 1;
  printer_.print(frame, where);
}

// One encoded frame for all; who lets too much wait does not get it.
void FrameServer::push_to_all(std::string_view head, std::string_view body, const Client* except) {
  ByteBuffer wire;
  if (const FrameError error = encoder_.append(wire, head, body)) {
    host_.log().error(error.text());
    return;
  }
  const auto payload = std::make_shared<const std::string>(wire.view());
  server_.for_each<Client>([&](Client& client) {
    if (&client == except) return;
    if (client.push(payload)) {
      ++counters_.pushed;
      return;
    }
    ++counters_.dropped;
    server_.notice(fmt::format("{} is slow: a message to it is dropped (--max-queue)",
                               client.peer().to_string()));
  });
}

void FrameServer::on_input_line(std::string_view line) {
  if (line.empty()) return;
  if (line == "/who") {
    return server_.for_each<Client>([this](const Client& client) { list_client(client); });
  }
  const std::uint64_t max_frame = options_.session.max_frame;
  try {
    const std::string content = read_message(line, options_.session.codec, max_frame);
    if (const FrameError error = encoder_.check(content.size(), max_frame)) {
      throw UsageError(fmt::format("message {}: {}", quoted(line), error.text()));
    }
    if (line.starts_with("raw:")) return push_to_all(content, {}, nullptr);
    // To a client it looks like an answer, so it has an error code.
    const auto head = answer_head(static_cast<std::int8_t>(content[0]), kOk);
    push_to_all({head.data(), head.size()}, std::string_view(content).substr(1), nullptr);
  } catch (const Error& error) {
    host_.log().error(error.what());
  }
}

bool FrameServer::on_long_line() {
  host_.log().error(kLongLine);
  return true;
}

void FrameServer::list_client(const Client& client) {
  const std::string_view identity = client.identity();
  const std::string_view appid = identity.substr(0, kAppidSize);
  const std::string_view imei =
      identity.size() < kAppidSize ? std::string_view() : identity.substr(kAppidSize);
  const double age = std::chrono::duration<double>(host_.loop().now() - client.since()).count();
  const std::array<Field, 4> fields{Field{"appid", appid}, Field{"imei", imei}, Field{"age_s", age},
                                    Field{"frames", client.frames()}};
  const std::string who =
      identity.empty() ? "not registered" : fmt::format("appid={} imei={}", appid, imei);
  const std::string line = fmt::format("{} {} connected for {:.1f}s, {}", client.peer().to_string(),
                                       who, age, counted(client.frames(), "frame"));
  Record record;
  record.type = "client";
  record.time = host_.clock().wall();
  record.peer = &client.peer();
  record.fields = identity.empty() ? std::span(fields).subspan(2) : std::span(fields);
  record.line = line;
  host_.output().emit(record);
}

void FrameServer::fill_totals(Totals& totals) const {
  const TcpServer::Counters& server = server_.counters();
  const auto of_kind = [this](ServerReply::Kind kind) {
    return counters_.kinds[static_cast<std::size_t>(kind)];
  };
  totals.add("clients", server_.size());
  totals.add("connections", server.accepted);
  totals.add("refused", server.refused);
  totals.add("frames", counters_.frames);
  totals.add("registers", of_kind(ServerReply::Kind::registered));
  totals.add("heartbeats", of_kind(ServerReply::Kind::heartbeat));
  totals.add("datetimes", of_kind(ServerReply::Kind::datetime));
  totals.add("custom", of_kind(ServerReply::Kind::custom));
  totals.add("errors", counters_.errors);
  totals.add("pushed", counters_.pushed);
  totals.add("dropped", counters_.dropped);
  totals.add("protocol_errors", counters_.protocol_errors);
  totals.add("frame_timeouts", counters_.frame_timeouts + server.handshake_timeouts);
  totals.add("idle_timeouts", counters_.idle_timeouts);
  totals.add("bytes", counters_.bytes_in);
}

void FrameServer::stop() {
  server_.stop_accepting();
  server_.for_each<Client>([](Client& client) { client.close(); });
  host_.finish(ExitStatus::done);
}

ServeOptions serve_options(const Values& values) {
  ServeOptions options;
  options.address = values.address("ADDRESS");
  options.session.max_frame = values.size("max-frame");
  options.session.frame_timeout = values.duration("frame-timeout");
  options.session.idle_timeout = values.duration("idle-timeout");
  options.session.accept_custom = values.flag("broadcast");
  options.server.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options.max_queue = values.size("max-queue");
  options.record = values.text("record");
  options.show_heartbeats = values.text("show") == "heartbeats";
  if (values.has("cert")) {
    options.tls =
        TlsServerOptions{values.text("cert"), values.text("key"), values.text("client-ca")};
  }
  return options;
}

}  // namespace

std::unique_ptr<Command> make_serve() {
  return std::make_unique<LoopCommand<FrameServer, serve_options>>();
}

}  // namespace netkit::frame
