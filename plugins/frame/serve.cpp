// `frame serve`: all clients on one loop.
#include <array>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <frame/message.hpp>
#include <frame/serve_options.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/io/input.hpp>
#include <netkit/net/held_bytes.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

struct Counters {
  std::uint64_t frames = 0;
  std::array<std::uint64_t, ServerReply::kKinds> kinds{};  // of the frames
  std::uint64_t errors = 0;                                // answered with -1
  std::uint64_t answered = 0;                              // by a rule
  std::uint64_t pushed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t frame_timeouts = 0;
  std::uint64_t idle_timeouts = 0;
  std::uint64_t no_memory = 0;
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
  void on_input_end() override;
  bool on_long_line() override;
  void say_nobody();

  TcpServer::Options server_options() const;
  void on_frame(Client& client, const FrameView& view);
  bool answer_by_rule(Client& client, std::string_view body);
  void on_request(Client& client, const ServerReply& reply);
  void handle_request(Client& client, const ServerReply& reply);
  void print_request(const Client& client, const ServerReply& reply, FramePrinter::Where where);
  void push_to_all(std::string_view head, std::string_view body, const Client* except);
  std::string content_of(std::string_view message) const;
  void push_message(bool raw, std::string_view content);
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
  HeldBytes held_;
  TimeFormatter time_;
  std::string datetime_;
  ByteBuffer answers_;  // of the client whose data are being read
  CutTotals cut_;
  std::vector<std::pair<bool, std::string>> pushes_;  // of --every: whether raw, and the content
  bool by_rules_;  // not, or not only, the answers of the codec netkit
  bool printing_;  // requests, as records
  bool examined_;  // each request, for records or -v
  bool said_nobody_ = false;
  TcpServer server_;
  TlsKeys keys_{server_};
  std::unique_ptr<Input> input_;
  Timer tick_;
};

// One connection. An idle one costs a few hundred bytes.
class FrameServer::Client final : public TcpServer::Connection {
 public:
  Client(FrameServer& server, const Endpoint& peer)
      : server_(server),
        session_(server.options_.session, server.encoder_, server.host_.loop().now()),
        holding_(&server.held_, peer.address()),
        since_(server.host_.loop().now()),
        connection_(server.recorder_.next_connection()),
        peer_(peer) {}

  // False if too much waits for this client already.
  bool push(const SharedPayload& payload);
  void answer(std::string_view content);

  const Endpoint& peer() const { return peer_; }
  TimePoint since() const { return since_; }
  std::uint64_t frames() const { return frames_; }
  const std::string& identity() const { return identity_; }  // appid and imei, or empty
  void set_identity(std::string_view identity) { identity_ = identity; }

 private:
  void on_open(std::string_view /*alpn*/) override { arm(); }
  void on_received(std::string_view data) override;
  void on_drained() override {
    if (!unread_.empty() && !closing()) take_all(std::exchange(unread_, {}));
  }
  void on_half_closed() override;

  void take_all(std::string_view data);
  bool take(const FrameView& view);  // whether more is to be taken now
  void settle(const FrameError& error);
  void refuse(const std::string& reason);
  void arm();
  void on_deadline();

  FrameServer& server_;
  ServerSession session_;
  Holding holding_;
  FrameCounters seen_;
  Timer timer_;
  TimePoint armed_ = TimePoint::max();
  TimePoint since_;
  std::uint64_t frames_ = 0;
  std::uint64_t connection_;  // its number in the recording
  std::string identity_;
  std::string unread_;  // came while too much was queued
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
  if (server_.by_rules_) return take_all(data);
  ByteBuffer& answers = server_.answers_;
  answers.clear();
  const auto count = [this](const ServerReply& reply) {
    ++frames_;
    server_.on_request(*this, reply);
  };
  const FrameError error =
      session_.on_data(server_.host_.loop().now(), data, server_.datetime(), answers, count);
  if (!answers.empty()) {
    server_.recorder_.record(connection_, Direction::to_client, answers.view());
    write(answers.view());
  }
  settle(error);
}

void FrameServer::Client::take_all(std::string_view data) {
  const auto [taken, error] = session_.on_frames(
      server_.host_.loop().now(), data, [this](const FrameView& view) { return take(view); });
  if (!error) unread_ = data.substr(taken);
  settle(error);
}

// An answer may be much longer than what it answers: where the client does not take what is queued
// for it, what else it has asked waits.
bool FrameServer::Client::take(const FrameView& view) {
  ++frames_;
  server_.on_frame(*this, view);
  return !backed_up() || server_.options_.session.datagrams;
}

void FrameServer::Client::settle(const FrameError& error) {
  if (server_.by_rules_) server_.cut_.add_news(session_.counters(), seen_);
  if (!error && !holding_.hold(session_.pending() + unread_.size())) {
    ++server_.counters_.no_memory;
    return refuse(fmt::format("unfinished frames fill {} (--max-memory)",
                              format_size(server_.options_.max_memory)));
  }
  if (!error) return arm();
  ++server_.counters_.protocol_errors;
  refuse(error.text());
}

void FrameServer::Client::answer(std::string_view content) {
  ByteBuffer& wire = server_.answers_;
  wire.clear();
  if (const FrameError error = server_.encoder_.append(wire, content, {})) {
    return server().notice(fmt::format("{} gets no answer: {}", peer_.to_string(), error.text()));
  }
  server_.recorder_.record(connection_, Direction::to_client, wire.view());
  write(wire.view());
}

void FrameServer::Client::on_half_closed() {
  const std::uint64_t total = session_.pending_total();
  const std::size_t rest = session_.on_end([this](const FrameView& view) { take(view); });
  server_.cut_.add_news(session_.counters(), seen_);
  if (rest > 0) {
    ++server_.counters_.protocol_errors;
    server().notice(cut_off(peer_.to_string() + " closed", rest, total));
  }
  close();
}

void FrameServer::Client::refuse(const std::string& reason) {
  const std::string why = session_.first_bytes().explain(server_.options_.session.codec, reason);
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
  if (server_.printing_) server_.printer_.tick();
  const FrameError error = session_.on_silence(server_.host_.loop().now(),
                                               [this](const FrameView& view) { take(view); });
  if (error) return settle(error);
  if (is_held()) session_.begin_anew(server_.host_.loop().now());
  switch (session_.expired(server_.host_.loop().now())) {
    case ServerSession::Expired::none:
      return settle({});
    case ServerSession::Expired::frame:
      ++server_.counters_.frame_timeouts;
      return refuse(fmt::format("a frame took longer than {} (--frame-timeout): {} received",
                                format_duration(options.frame_timeout),
                                part_of_frame(session_.pending(), session_.pending_total())));
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
      held_(options_.max_memory),
      by_rules_(!options_.session.codec.message_ids || !options_.rules.empty()),
      printing_(!host.quiet() && printer_.wanted()),
      examined_(printing_ || host.log().enabled(LogLevel::info)),
      server_(host.loop(), host.log(), server_options(),
              [this](const Endpoint& peer) { return std::make_unique<Client>(*this, peer); }) {
  for (const std::string& message : options_.messages) {
    pushes_.emplace_back(message.starts_with("raw:"), content_of(message));
  }
  server_.listen(options_.address);
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  if (may_read_input() && is_input_open()) {
    input_ = Input::open(host_, *this,
                         {.history = "frame-serve",
                          .max_line = max_message_line(options_.session.max_frame),
                          .complete = complete});
  }
  if (!pushes_.empty()) {
    tick_ = host_.loop().every(options_.every, [this] {
      for (const auto& [raw, content] : pushes_) push_message(raw, content);
    });
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

// Of a client whose frames are not, or not only, requests of the codec netkit.
void FrameServer::on_frame(Client& client, const FrameView& view) {
  const bool known = options_.session.codec.message_ids && !view.content.empty();
  const bool good = view.check != CheckResult::bad;
  const bool answered = good && answer_by_rule(client, view.content);
  if (known && !answered) {
    const ServerReply reply =
        answer_request(view.content, datetime(), options_.session.accept_custom);
    const auto head = answer_head(reply.id, reply.error);
    client.answer(std::string(head.data(), head.size()).append(reply.answer));
    return on_request(client, reply);
  }
  ++counters_.frames;
  if (printing_) {
    ShownFrame frame = shown_request(view, options_.session.codec);
    frame.dir = "in";
    frame.peer = &client.peer();
    printer_.print(frame);
  }
  if (good && !answered && options_.session.accept_custom) push_to_all({}, view.content, &client);
}

bool FrameServer::answer_by_rule(Client& client, std::string_view body) {
  for (const Rule& rule : options_.rules) {
    const auto answer = rule.answer(body, host_.clock().wall());
    if (!answer) continue;
    ++counters_.answered;
    client.answer(*answer);
    return true;
  }
  return false;
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
  using Asked = ServerReply::Kind;
  if (reply.kind == Asked::registered) client.set_identity(reply.body);
  const bool shown = reply.kind != Asked::heartbeat || options_.show_heartbeats;
  if (shown ? printing_ : host_.log().enabled(LogLevel::info)) {
    print_request(client, reply, shown ? FramePrinter::Where::output : FramePrinter::Where::log);
  }
  if (reply.kind == Asked::custom && reply.error == kOk) {
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

// One encoded frame for all; clients with a full queue do not get it.
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
    server_.notice(fmt::format("{} is slow: a message to it was dropped (--max-queue)",
                               client.peer().to_string()));
  });
}

void FrameServer::on_input_line(std::string_view line) {
  if (line.empty()) return;
  if (line == "/who") {
    if (server_.empty()) host_.log().notice("there are no clients");
    return server_.for_each<Client>([this](const Client& client) { list_client(client); });
  }
  try {
    const std::string content = content_of(line);
    say_nobody();
    push_message(line.starts_with("raw:"), content);
  } catch (const Error& error) {
    host_.log().error(error.what());
  }
}

void FrameServer::on_input_end() {
  if (host_.interactive()) host_.log().notice("the input has ended; clients are still served");
}

void FrameServer::say_nobody() {
  if (server_.empty() && !said_nobody_) {
    host_.log().notice("there are no clients: messages reach nobody");
  }
  said_nobody_ = server_.empty();
}

std::string FrameServer::content_of(std::string_view message) const {
  const std::uint64_t max_frame = options_.session.max_frame;
  std::string content = read_message(message, options_.session.codec, max_frame);
  if (const FrameError error = encoder_.check({}, content, max_frame)) {
    throw UsageError(fmt::format("message {}: {}", in_quotes(message), error.text()));
  }
  return content;
}

void FrameServer::push_message(bool raw, std::string_view content) {
  if (raw || !options_.session.codec.message_ids) return push_to_all(content, {}, nullptr);
  // To a client it looks like an answer, so it has an error code.
  const auto head = answer_head(static_cast<std::int8_t>(content[0]), kOk);
  push_to_all({head.data(), head.size()}, content.substr(1), nullptr);
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
  add_tcp_clients(totals, server);
  totals.add("frames", counters_.frames);
  totals.add("registers", of_kind(ServerReply::Kind::registered));
  totals.add("heartbeats", of_kind(ServerReply::Kind::heartbeat));
  totals.add("datetimes", of_kind(ServerReply::Kind::datetime));
  totals.add("custom", of_kind(ServerReply::Kind::custom));
  totals.add("errors", counters_.errors);
  totals.add("answered", counters_.answered);
  totals.add("pushed", counters_.pushed);
  totals.add("dropped", counters_.dropped);
  totals.add("protocol_errors", counters_.protocol_errors);
  cut_.add_to(totals);
  totals.add("frame_timeouts", counters_.frame_timeouts + server.handshake_timeouts);
  totals.add("idle_timeouts", counters_.idle_timeouts);
  totals.add("dropped_memory", counters_.no_memory);
  totals.add("bytes", counters_.bytes_in);
}

void FrameServer::stop() {
  server_.stop_accepting();
  server_.for_each<Client>([](Client& client) { client.close(); });
  host_.finish(ExitStatus::done);
}

}  // namespace

std::unique_ptr<Command> make_serve() {
  return std::make_unique<LoopCommand<FrameServer, serve_options>>();
}

}  // namespace netkit::frame
