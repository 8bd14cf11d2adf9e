// `frame replay`: a recording, when it is due.
#include <algorithm>
#include <cstdint>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/tcp_client.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

// What one read of a recorded connection can hold at most.
constexpr std::uint64_t kMaxRead = 1U << 20U;
// How many records are played before the loop gets its turn.
constexpr std::size_t kBatch = 256;
// What may wait to be sent, of a connection, while the recording is played on.
constexpr std::size_t kMostUnsent = std::size_t{1} << 20U;

struct ReplayOptions {
  RecordingPlayer::Options recording;
  std::vector<AddressSpec> target;  // empty: print the recording
  Duration wait = std::chrono::seconds(5);
  Duration connect_timeout = std::chrono::seconds(10);
  Cutting cutting;
};

class Replay {
 public:
  // Opens the file; throws SystemError.
  Replay(Host& host, ReplayOptions options);
  ~Replay();

 private:
  class Connection;
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // run, connection

  void play();
  void play_one(const RecordedBytes& record);
  void on_recorded(Direction direction, const FrameView& view);
  void await_more();
  void end_of_file();
  void on_answer();
  void on_sent();
  std::size_t unsent() const;
  void finish_if_done();
  void arm_wait();
  void give_up(std::size_t before);
  Connection& connection(const Key& key);

  Host& host_;
  ReplayOptions options_;
  FramePrinter printer_;
  RecordingPlayer player_;
  std::map<Key, std::unique_ptr<Connection>> connections_;
  Timer timer_;
  Watch more_;  // of the file
  Timer wait_timer_;
  std::size_t full_ = 0;  // connections with more than kMostUnsent; what follows waits for them
  std::size_t cut_short_ = 0;  // connections that were lost before all of theirs was sent
  std::uint64_t sent_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t received_ = 0;
  bool all_played_ = false;
};

// One connection of the recording: its data and, with a target, the connection to it.
class Replay::Connection final : private TcpClient::Handler {
 public:
  explicit Connection(Replay& replay)
      : replay_(replay),
        recorded_{replay.options_.cutting.decoder(), replay.options_.cutting.decoder()},
        answers_(replay.options_.cutting.decoder()) {
    const ReplayOptions& options = replay_.options_;
    if (options.target.empty()) return;
    TcpClient::Options target;
    target.servers = options.target;
    target.connect_timeout = options.connect_timeout;
    TcpClient::Handler& handler = *this;
    client_.emplace(replay_.host_.loop(), replay_.host_.log(), std::move(target), handler);
    client_->start();
  }

  // Calls `sink(const FrameView&)` for the recorded frames that `record` completes. Silence is that
  // of the recording.
  template <typename Sink>
  FrameError decode(const RecordedBytes& record, Sink&& sink) {
    FrameDecoder& decoder = recorded_[static_cast<std::size_t>(record.direction)];
    return replay_.options_.cutting.cut(decoder, TimePoint(record.offset), record.bytes, sink);
  }
  // The recording has ended.
  template <typename Sink>
  void finish(Sink&& sink) {
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      recorded_[static_cast<std::size_t>(direction)].finish(
          [&](const FrameView& view) { sink(direction, view); });
    }
  }

  void send(std::string_view bytes) {
    if (is_lost_) return cut_short();
    if (client_->stream() != nullptr) {
      client_->stream()->write(bytes);
    } else {
      early_ += bytes;
    }
    has_rest_ = unsent() > 0;
    if (!is_full_ && unsent() > kMostUnsent) is_full_ = true, ++replay_.full_;
  }
  std::size_t unsent() { return client_->stream() ? client_->stream()->queued() : early_.size(); }
  bool is_lost() const { return is_lost_; }

 private:
  void on_connected(TcpClient& client) override {
    peer_ = client.stream()->peer();
    client.stream()->set_water_marks(0, 0);  // to be told when all is sent
    if (!early_.empty()) client.stream()->write(std::string_view(std::exchange(early_, {})));
    if (unsent() == 0) on_low_water(client);
  }

  void on_low_water(TcpClient&) override {
    has_rest_ = false;
    if (std::exchange(is_full_, false)) --replay_.full_;
    replay_.on_sent();
  }

  std::string on_lost(TcpClient&) override {
    is_lost_ = true;
    if (has_rest_) cut_short();
    return {};
  }

  // Some of what was recorded cannot be sent any more.
  void cut_short() {
    if (!std::exchange(is_cut_short_, true)) ++replay_.cut_short_;
  }

  void on_data(TcpClient&, std::string_view data) override {
    replay_.printer_.tick();
    EventLoop& loop = replay_.host_.loop();
    judge(replay_.options_.cutting.cut(answers_, loop.now(), data,
                                       [this](const FrameView& view) { take(view); }));
    silence_ = answers_.deadline() == TimePoint::max()
                   ? Timer()
                   : loop.at(answers_.deadline(), [this] { on_silence(); });
  }

  void on_silence() {
    answers_.expire(replay_.host_.loop().now(), [this](const FrameView& view) { take(view); });
    judge(answers_.error());
  }

  void take(const FrameView& view) {
    replay_.printer_.print(Direction::to_client, view, replay_.options_.cutting.codec, &peer_);
    replay_.on_answer();
  }

  void judge(const FrameError& error) {
    if (error) replay_.host_.finish(ExitStatus::protocol, error.text());
  }

  // There is no second connection: a lost one stays lost.
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override {
    if (client.connections() == 0) return replay_.host_.finish(status, error);
    replay_.host_.log().notice(error);
    on_low_water(client);
  }

  Replay& replay_;
  std::optional<TcpClient> client_;
  std::string early_;          // sent before it was connected
  bool is_full_ = false;       // as Replay::full_ counts
  bool has_rest_ = false;      // that is to be sent
  bool is_lost_ = false;       // for good
  bool is_cut_short_ = false;  // as Replay::cut_short_ counts
  FrameDecoder recorded_[2];
  FrameDecoder answers_;
  Timer silence_;
  Endpoint peer_;
};

Replay::Replay(Host& host, ReplayOptions options)
    : host_(host),
      options_(std::move(options)),
      printer_(host, false, FramePrinter::Mark::direction),
      player_(options_.recording, host.loop().now()) {
  host_.set_totals([this](Totals& totals) {
    totals.add("sent", sent_);
    totals.add("recorded_answers", expected_);
    totals.add("answers", received_);
  });
  timer_ = host_.loop().after(Duration::zero(), [this] { play(); });
}

Replay::~Replay() = default;

Replay::Connection& Replay::connection(const Key& key) {
  std::unique_ptr<Connection>& slot = connections_[key];
  if (!slot) slot = std::make_unique<Connection>(*this);
  return *slot;
}

void Replay::play() {
  TimePoint next = host_.loop().now();
  for (std::size_t i = 0; i < kBatch && full_ == 0 && !host_.finishing(); ++i) {
    const RecordedBytes* record = player_.front();
    if (record == nullptr) return player_.awaited() < 0 ? end_of_file() : await_more();
    next = player_.due();
    if (next > host_.loop().now()) break;
    play_one(*record);
    player_.pop();
  }
  if (full_ > 0) return arm_wait();
  timer_ = host_.loop().at(next, [this] { play(); });
}

// The file is a pipe that has nothing yet.
void Replay::await_more() {
  more_ = host_.loop().watch(player_.awaited(), Interest::read, [this](Ready) {
    more_.reset();
    play();
  });
}

void Replay::play_one(const RecordedBytes& record) {
  Connection& from = connection({record.run, record.connection});
  const bool request = record.direction == Direction::to_server;
  const bool printing = options_.target.empty();
  if (printing) printer_.tick();
  const bool is_sent = !request || !from.is_lost();
  const FrameError error = from.decode(record, [&](const FrameView& view) {
    if (is_sent) on_recorded(record.direction, view);
  });
  if (error && printing) {
    return host_.finish(
        ExitStatus::protocol,
        fmt::format("'{}' line {}: {}", options_.recording.path, player_.line(), error.text()));
  }
  if (!printing && request) from.send(record.bytes);
}

void Replay::on_recorded(Direction direction, const FrameView& view) {
  if (options_.target.empty()) {
    printer_.print(direction, view, options_.cutting.codec, nullptr);
  } else {
    ++(direction == Direction::to_server ? sent_ : expected_);
  }
}

void Replay::on_answer() {
  ++received_;
  finish_if_done();
}

// A connection has sent all that it had, or is lost.
void Replay::on_sent() {
  if (all_played_) return finish_if_done();
  if (full_ == 0 && !timer_.pending() && !more_) {
    wait_timer_.reset();
    timer_ = host_.loop().after(Duration::zero(), [this] { play(); });
  }
}

std::size_t Replay::unsent() const {
  std::size_t bytes = 0;
  for (const auto& [key, connection] : connections_) bytes += connection->unsent();
  return bytes;
}

void Replay::end_of_file() {
  if (!player_.error().empty()) return host_.finish(player_.status(), player_.error());
  for (auto& [key, connection] : connections_) {
    connection->finish(
        [this](Direction direction, const FrameView& view) { on_recorded(direction, view); });
  }
  all_played_ = true;
  if (options_.target.empty()) return host_.finish(ExitStatus::done);
  finish_if_done();
}

void Replay::finish_if_done() {
  if (!all_played_) return;
  if (received_ < expected_ || unsent() > 0) return arm_wait();
  if (cut_short_ == 0) return host_.finish(ExitStatus::done);
  host_.finish(ExitStatus::unreachable, fmt::format("{} lost before everything recorded was sent",
                                                    counted(cut_short_, "connection")));
}

// For an answer, or for the server to take what is sent.
void Replay::arm_wait() {
  if (options_.wait == kNever) return;
  wait_timer_ = host_.loop().after(options_.wait, [this, left = unsent()] { give_up(left); });
}

// `before`: what was unsent when it began to wait.
void Replay::give_up(std::size_t before) {
  const std::size_t left = unsent();
  if (left > 0 && left < before) return arm_wait();  // it gets on
  const std::string within = format_duration(options_.wait);
  if (left > 0) {
    return host_.finish(ExitStatus::no, fmt::format("{} not sent within {} (--wait)",
                                                    counted(left, "byte"), within));
  }
  host_.finish(ExitStatus::no, fmt::format("{} of {} arrived, none within {} (--wait)", received_,
                                           counted(expected_, "recorded answer"), within));
}

ReplayOptions replay_options(const Values& values) {
  ReplayOptions options;
  if (values.has("ADDRESS")) options.target = {values.address("ADDRESS")};
  options.cutting = read_cutting(
      values, options.target.empty() ? Transport::tcp : options.target.front().transport);
  options.recording = {.path = values.text("FILE"),
                       .command = "frame",
                       .max_bytes = std::max(kMaxRead, options.cutting.max_frame),
                       .limit_option = "--max-frame",
                       .speed = values.number("speed"),
                       .is_watched = true};
  options.wait = values.duration("wait");
  options.connect_timeout = values.duration("connect-timeout");
  return options;
}

}  // namespace

std::unique_ptr<Command> make_replay() {
  return std::make_unique<LoopCommand<Replay, replay_options>>();
}

}  // namespace netkit::frame
