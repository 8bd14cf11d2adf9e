// `frame connect`: requests and their answers, over connections that come and go.
#include <bitset>
#include <cstdint>
#include <frame/client_session.hpp>
#include <frame/commands.hpp>
#include <frame/connect_options.hpp>
#include <frame/frame_printer.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/io/input.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

// More than this is not kept back to the end of a turn.
constexpr std::size_t kSendNow = 65536;
// If frames are delimited by silence, the next one is sent after the answer, or after this long.
constexpr Duration kTurn = std::chrono::seconds(1);

std::vector<std::string> complete(std::string_view, std::string_view word) {
  return complete_word(word,
                       {"register:", "heartbeat", "datetime", "raw:hex:", "raw:base64:", "raw:@"});
}

struct Counters {
  std::uint64_t requests = 0;
  std::uint64_t answers = 0;
  std::uint64_t errors = 0;  // answers with an error code
  std::uint64_t heartbeats = 0;
  std::uint64_t unmatched = 0;
  std::uint64_t drops = 0;
  std::uint64_t bad_lines = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

ConnectOptions with_tls(ConnectOptions options) {
  if (options.tls) options.connection.tls = TlsContext::client(*options.tls);
  return options;
}

// Requests from --send and the input, answers to the output, over connections that come and go.
class FrameClient final : private TcpClient::Handler, private Input::Handler {
 public:
  // Throws what is wrong with --send and with the files that the options name.
  FrameClient(Host& host, ConnectOptions options);

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_end(TcpClient& client) override;
  std::string on_lost(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;
  void on_high_water(TcpClient& client) override;
  void on_low_water(TcpClient& client) override;
  void on_input_line(std::string_view line) override;
  void on_input_end() override;
  bool on_long_line() override;

  void push(std::string_view message);
  void on_event(const ClientEvent& event);
  void note_unmatched(const ClientEvent& event);
  void send();
  void send_pieces();
  void write(std::string_view wire);
  void ask_again();
  bool make_room();
  void show_sent(std::string_view wire);
  static FramePrinter::Where where(bool shown) {
    return shown ? FramePrinter::Where::output : FramePrinter::Where::log;
  }
  void judge(ClientSession::Status status);
  void arm_silence();
  void arm_heartbeat();
  void on_heartbeat_due();
  void arm_wait();
  void control_input();
  void finish_if_done();
  void finish(ExitStatus status, const std::string& error = {});
  std::string unanswered_text() const;
  void fill_totals(Totals& totals) const;

  Host& host_;
  ConnectOptions options_;
  ClientSession session_;
  FramePrinter printer_;
  Recorder recorder_;
  TcpClient client_;
  Counters counters_;
  std::unique_ptr<Input> input_;
  Endpoint peer_;
  Hook before_wait_;
  Timer heartbeat_timer_;
  Timer wait_timer_;
  Timer every_timer_;
  Timer within_timer_;
  Timer silence_timer_;
  Timer turn_timer_;
  TimePoint turn_;          // when the next piece may go out
  CutTotals cut_;           // of the connections before
  std::bitset<256> noted_;  // unmatched ids that were said, on this connection
  FirstBytes opening_;      // from the server, on this connection
  std::uint64_t connection_ = 0;
  bool input_ended_ = false;
  bool input_paused_ = false;
  bool congested_ = false;
  bool said_full_ = false;  // that --every has no room
};

FrameClient::FrameClient(Host& host, ConnectOptions options)
    : host_(host),
      options_(with_tls(std::move(options))),
      session_(options_.session),
      printer_(host, false, FramePrinter::Mark::outgoing),
      recorder_(host, "frame", options_.record),
      client_(host.loop(), host.log(), options_.connection, *this) {
  if (options_.tls && options_.tls->insecure) {
    host_.log().notice("--insecure: the server's certificate is not verified");
  }
  for (const std::string& message : options_.messages) push(message);
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { finish(ExitStatus::done); });
  before_wait_ = host_.loop().before_wait([this] { send(); });
  if (options_.read_input) {
    input_ = Input::open(host_, *this,
                         {.history = "frame-connect",
                          .max_line = max_message_line(options_.session.max_frame),
                          .complete = complete});
  } else {
    input_ended_ = true;
    session_.end_input();
  }
  if (options_.expect) {
    within_timer_ = host_.loop().after(options_.within, [this] {
      finish(ExitStatus::no,
             fmt::format("{} did not match within {} (--within)",
                         in_quotes(options_.expect->text()), format_duration(options_.within)));
    });
  }
  control_input();
  client_.start();
}

void FrameClient::push(std::string_view message) {
  const CodecSpec& codec = options_.session.codec;
  const auto plain = plain_message(message, codec);
  const ClientSession::Push pushed =
      plain ? session_.push({&plain->id, 1}, plain->body)
            : session_.push(read_message(message, codec, options_.session.max_frame));
  if (pushed.full) {
    throw UsageError("more requests than --max-requests or --max-request-bytes allow");
  }
  if (pushed.error) {
    throw UsageError(fmt::format("message {}: {}", in_quotes(message), pushed.error.text()));
  }
  ++counters_.requests;
}

void FrameClient::on_input_line(std::string_view line) {
  if (line.empty()) return;
  try {
    push(line);
  } catch (const Error& error) {
    ++counters_.bad_lines;
    host_.log().error(error.what());
  }
  if (session_.output().size() >= kSendNow) send();
  control_input();
}

bool FrameClient::on_long_line() {
  ++counters_.bad_lines;
  host_.log().error(kLongLine);
  return true;
}

void FrameClient::on_input_end() {
  // Who leaves the prompt has nothing left to do here.
  const bool leaves = host_.interactive() && options_.session.keep_open && !options_.expect;
  if (leaves) return finish(ExitStatus::done);
  input_ended_ = true;
  session_.end_input();
  arm_wait();
  finish_if_done();
}

void FrameClient::on_high_water(TcpClient&) {
  congested_ = true;
  control_input();
}

void FrameClient::on_low_water(TcpClient&) {
  congested_ = false;
  control_input();
}

void FrameClient::control_input() {
  if (!input_ || input_ended_) return;
  const bool pause = congested_ || !session_.has_room();
  if (pause == input_paused_) return;
  input_paused_ = pause;
  pause ? input_->pause() : input_->resume();
}

void FrameClient::on_connected(TcpClient& client) {
  peer_ = client.stream()->peer();
  congested_ = false;
  noted_.reset();
  opening_ = {};
  connection_ = recorder_.next_connection();
  session_.on_connected(host_.loop().now());
  turn_ = host_.loop().now();
  if (options_.every > Duration::zero()) {
    every_timer_ = host_.loop().every(options_.every, [this] { ask_again(); });
  }
  arm_heartbeat();
  arm_wait();
  control_input();
  finish_if_done();  // the input may have ended while this was connecting, with nothing to ask
}

void FrameClient::on_gave_up(TcpClient&, ExitStatus status, const std::string& error) {
  finish(status, error);
}

void FrameClient::ask_again() {
  if (!session_.pieces().empty()) return;  // those of the last time are not out yet
  try {
    for (const std::string& message : options_.messages) {
      if (!make_room()) return;
      push(message);
    }
  } catch (const Error& error) {  // a file that is gone
    host_.log().error(error.what());
  }
}

// For one more request of --every. What is lost on the way is never answered: to wait for that
// would be to wait for ever.
bool FrameClient::make_room() {
  if (session_.has_room()) return true;
  if (!std::exchange(said_full_, true)) {
    host_.log().notice(
        fmt::format("{} unanswered: {} (--max-requests, --max-request-bytes)",
                    counted(session_.in_flight(), "request"),
                    options_.loses ? "the oldest are given up" : "no more are sent for now"));
  }
  while (options_.loses && !session_.has_room() && session_.give_up_oldest()) {
  }
  return session_.has_room();
}

void FrameClient::send() {
  if (options_.session.separate) return send_pieces();
  std::string& output = session_.output();
  if (output.empty() || client_.stream() == nullptr) return;
  write(output);
  output.clear();
}

void FrameClient::send_pieces() {
  const TimePoint now = host_.loop().now();
  std::deque<std::string>& pieces = session_.pieces();
  while (!pieces.empty() && client_.stream() != nullptr) {
    if (!options_.session.datagrams && now < turn_) {
      turn_timer_ = host_.loop().at(turn_, [this] { send(); });
      return;
    }
    write(pieces.front());
    pieces.pop_front();
    turn_ = saturating_add(now, kTurn);
  }
}

void FrameClient::write(std::string_view wire) {
  counters_.bytes_out += wire.size();
  recorder_.record(connection_, Direction::to_server, wire);
  if (options_.show_sent || host_.log().enabled(LogLevel::info)) show_sent(wire);
  log_sent(host_.log(), peer_, wire);
  client_.stream()->write(wire);
}

void FrameClient::show_sent(std::string_view wire) {
  const CodecSpec& codec = options_.session.codec;
  FrameDecoder decoder(codec, FrameDecoder::kMaxLimit);
  printer_.tick();
  const auto show = [&](const FrameView& view) {
    printer_.print(Direction::to_server, view, codec, &peer_, where(options_.show_sent));
  };
  decoder.feed(wire, show);
  decoder.finish(show);
}

void FrameClient::on_data(TcpClient&, std::string_view data) {
  log_received(host_.log(), peer_, data);
  counters_.bytes_in += data.size();
  printer_.tick();
  recorder_.record(connection_, Direction::to_client, data);
  opening_.add(data);
  judge(session_.on_data(host_.loop().now(), data,
                         [this](const ClientEvent& event) { on_event(event); }));
}

void FrameClient::judge(ClientSession::Status status) {
  switch (status) {
    case ClientSession::Status::ok:
      control_input();
      arm_silence();
      return finish_if_done();
    case ClientSession::Status::refused:
      return finish(ExitStatus::permission,
                    fmt::format("{} refused the registration", client_.server()));
    case ClientSession::Status::bad_frame:
      return client_.drop(opening_.explain(options_.session.codec, session_.frame_error().text()),
                          ExitStatus::protocol);
    case ClientSession::Status::short_frame:
      return client_.drop("a frame has no error code, so it is not an answer",
                          ExitStatus::protocol);
  }
}

void FrameClient::arm_silence() {
  const TimePoint due = session_.silence_deadline();
  if (due == TimePoint::max()) return silence_timer_.reset();
  silence_timer_ = host_.loop().at(due, [this] {
    printer_.tick();
    judge(session_.on_silence(host_.loop().now(),
                              [this](const ClientEvent& event) { on_event(event); }));
  });
}

void FrameClient::on_event(const ClientEvent& event) {
  using Kind = ClientEvent::Kind;
  if (host_.finishing()) return;
  turn_ = host_.loop().now();
  const bool own_heartbeat = event.kind == Kind::heartbeat;
  if (own_heartbeat) {
    ++counters_.heartbeats;
  } else if (event.kind != Kind::damaged) {
    ++counters_.answers;
    arm_wait();
  }
  if (event.error != kOk) ++counters_.errors;
  if (!own_heartbeat || options_.show_heartbeats || host_.log().enabled(LogLevel::info)) {
    ShownFrame frame;
    frame.dir = "in";
    frame.peer = &peer_;
    if (options_.session.codec.message_ids) {
      frame.id = event.id;
      frame.error = event.error;
    }
    frame.body = event.body;
    frame.length = event.length;
    frame.check = event.check;
    printer_.print(frame, where(!own_heartbeat || options_.show_heartbeats));
  }
  if (event.kind == Kind::repeated || event.kind == Kind::unexpected) note_unmatched(event);
  if (options_.expect && event.kind != Kind::damaged && options_.expect->match(event.body)) {
    finish(ExitStatus::done);
  }
}

// Once for each id and connection; unsolicited frames are no fault while no request is waiting.
void FrameClient::note_unmatched(const ClientEvent& event) {
  ++counters_.unmatched;
  const auto id = static_cast<std::uint8_t>(event.id);
  const std::size_t waiting = session_.in_flight();
  const bool news = !noted_[id] && (waiting > 0 || event.kind == ClientEvent::Kind::repeated);
  if (news) noted_.set(id);
  const LogLevel level = news ? LogLevel::notice : LogLevel::info;
  if (!host_.log().enabled(level)) return;
  host_.log().write(level, unmatched_text(event, waiting, options_.session.codec.message_ids));
}

void FrameClient::on_end(TcpClient& client) {
  constexpr std::string_view kClosed = "closed by the peer";
  const std::uint64_t total = session_.pending_total();
  std::size_t rest = 0;
  printer_.tick();
  judge(session_.on_end(rest, [this](const ClientEvent& event) { on_event(event); }));
  client.drop(rest == 0 ? kClosed : cut_off(kClosed, rest, total), ExitStatus::unreachable);
}

std::string FrameClient::on_lost(TcpClient&) {
  ++counters_.drops;
  for (Timer* timer : {&heartbeat_timer_, &wait_timer_, &every_timer_, &silence_timer_}) {
    timer->reset();
  }
  FrameCounters seen;
  cut_.add_news(session_.counters(), seen);
  const std::size_t in_flight = session_.on_disconnected();
  if (in_flight == 0) return {};
  return fmt::format("{} without an answer", counted(in_flight, "request"));
}

void FrameClient::arm_heartbeat() {
  const TimePoint due = session_.next_deadline();
  if (due == TimePoint::max()) return heartbeat_timer_.reset();
  heartbeat_timer_ = host_.loop().at(due, [this] { on_heartbeat_due(); });
}

void FrameClient::on_heartbeat_due() {
  if (session_.on_deadline(host_.loop().now())) return arm_heartbeat();
  client_.drop(fmt::format("no answer to {} (--misses)", counted(session_.missed(), "heartbeat")),
               ExitStatus::unreachable);
}

// The time for the next answer once the input has ended.
void FrameClient::arm_wait() {
  const bool lasts = options_.session.keep_open || options_.expect || options_.every > Duration{};
  if (!input_ended_ || client_.stream() == nullptr || lasts || options_.wait == kNever) return;
  wait_timer_ = host_.loop().after(options_.wait, [this] {
    finish(ExitStatus::no,
           fmt::format("no answer within {} (--wait)", format_duration(options_.wait)));
  });
}

void FrameClient::finish_if_done() {
  if (!session_.finished() || options_.expect || options_.every > Duration{}) return;
  if (counters_.bad_lines == 0) {
    if (!options_.fail || counters_.errors == 0) return finish(ExitStatus::done);
    return finish(ExitStatus::no,
                  fmt::format("{} with an error (--fail)", counted(counters_.errors, "answer")));
  }
  finish(ExitStatus::usage,
         fmt::format("{} of the input not sent", counted(counters_.bad_lines, "line")));
}

void FrameClient::finish(ExitStatus status, const std::string& error) {
  if (host_.finishing()) return;
  const bool met = options_.expect && status == ExitStatus::done;
  if (session_.unanswered() > 0 && !met) host_.log().notice(unanswered_text());
  client_.stop();
  for (Timer* timer : {&heartbeat_timer_, &wait_timer_, &every_timer_, &silence_timer_,
                       &within_timer_, &turn_timer_}) {
    timer->reset();
  }
  host_.finish(status, error);
}

// Nothing is lost silently: requests without an answer are named.
std::string FrameClient::unanswered_text() const {
  constexpr std::size_t kNamed = 10;
  const std::size_t count = session_.unanswered();
  std::string text = fmt::format("no answer to {}:", counted(count, "request"));
  std::size_t named = 0;
  session_.for_each_unanswered([&](std::uint64_t number, std::int8_t id, bool sent) {
    if (named++ >= kNamed) return;
    text += fmt::format("{} #{}", named > 1 ? "," : "", number);
    if (options_.session.codec.message_ids) text += fmt::format(" {}", id_name(id));
    if (!sent) text += " (not sent)";
  });
  if (count > kNamed) text += fmt::format(" and {} more", count - kNamed);
  return text;
}

void FrameClient::fill_totals(Totals& totals) const {
  totals.add("requests", counters_.requests);
  totals.add("answers", counters_.answers);
  totals.add("errors", counters_.errors);
  totals.add("heartbeats", counters_.heartbeats);
  totals.add("unmatched", counters_.unmatched);
  totals.add("resent", session_.resent());
  totals.add("unanswered", session_.unanswered());
  totals.add("given_up", session_.given_up());
  totals.add("connections", client_.connections());
  totals.add("drops", counters_.drops);
  CutTotals cut = cut_;
  FrameCounters seen;
  cut.add_news(session_.counters(), seen);
  cut.add_to(totals);
  totals.add("bytes_in", counters_.bytes_in);
  totals.add("bytes_out", counters_.bytes_out);
}

}  // namespace

std::unique_ptr<Command> make_connect() {
  return std::make_unique<LoopCommand<FrameClient, connect_options>>();
}

}  // namespace netkit::frame
