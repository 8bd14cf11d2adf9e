// `frame replay`: a recording, when it is due.
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <fcntl.h>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <frame/options.hpp>
#include <frame/recording.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/reconnect.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file_descriptor.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

// What one read of a recorded connection can hold at most.
constexpr std::size_t kMaxRead = 1U << 20U;
// Records that are played without a look at anything else.
constexpr std::size_t kBatch = 256;

struct ReplayOptions {
  std::string file;
  std::optional<AddressSpec> target;  // none: print the recording
  double speed = 1;                   // 0: without waiting
  Duration wait = std::chrono::seconds(5);
  Duration connect_timeout = std::chrono::seconds(10);
  CodecSpec codec;
  std::uint64_t max_frame = 1U << 20U;
};

class Replay {
 public:
  // Opens the file; throws SystemError.
  Replay(Host& host, ReplayOptions options);
  ~Replay();

 private:
  class Connection;
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // run, connection

  bool read_more();
  void play();
  void play_one(const RecordedBytes& record);
  void show(Direction direction, const FrameView& view, const Endpoint* peer);
  void end_of_file();
  void on_answer();
  void finish_if_done();
  void fail(ExitStatus status, const std::string& error) { host_.finish(status, error); }
  Connection& connection(const Key& key);
  TimePoint due(const RecordedBytes& record);

  Host& host_;
  ReplayOptions options_;
  FramePrinter printer_;
  FileDescriptor file_;
  RecordingReader reader_;
  std::deque<RecordedBytes> waiting_;
  std::map<Key, std::unique_ptr<Connection>> connections_;
  Timer timer_;
  Timer wait_timer_;
  TimePoint base_;  // when the run began
  TimePoint last_due_;
  std::uint64_t run_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t received_ = 0;
  bool file_ended_ = false;
  bool all_played_ = false;
};

// One connection of the recording: what was said on it, and, with a target, the one to there.
class Replay::Connection final : public ByteStream::Handler {
 public:
  explicit Connection(Replay& replay)
      : replay_(replay),
        connector_(replay.host_.loop()),
        recorded_{{replay.options_.codec, replay.options_.max_frame},
                  {replay.options_.codec, replay.options_.max_frame}},
        answers_(replay.options_.codec, replay.options_.max_frame) {
    if (!replay_.options_.target) return;
    connector_.connect(*replay_.options_.target, replay_.options_.connect_timeout,
                       [this](ConnectResult result) { on_connected(std::move(result)); });
  }

  // Calls `sink(const FrameView&)` for the recorded frames that `record` completes.
  template <typename Sink>
  FrameError decode(const RecordedBytes& record, Sink&& sink) {
    return recorded_[static_cast<std::size_t>(record.direction)].feed(record.bytes, sink).error;
  }

  void send(std::string_view bytes) {
    if (stream_) return stream_->write(bytes);
    if (!ended_) early_ += bytes;
  }

  void on_data(ByteStream&, std::string_view data) override {
    const auto take = [this](const FrameView& view) {
      replay_.show(Direction::to_client, view, &peer_);
      replay_.on_answer();
    };
    const FrameError error = answers_.feed(data, take).error;
    if (error) replay_.fail(ExitStatus::protocol, error.text());
  }

  void on_end(ByteStream& stream) override { stream.close(); }

  void on_closed(ByteStream&, int error, std::string_view) override {
    replay_.host_.log().notice(Outage::sentence(
        peer_.to_string(), Outage::lost(error == 0 ? "closed by the peer" : error_text(error))));
    ended_ = true;
    replay_.host_.loop().destroy_later(std::move(stream_));
  }

 private:
  void on_connected(ConnectResult result) {
    if (!result.socket) return replay_.fail(result.status, result.error);
    peer_ = result.peer;
    stream_ = make_tcp_stream(replay_.host_.loop(), std::move(result.socket), peer_, *this);
    if (!early_.empty()) stream_->write(std::string_view(std::exchange(early_, {})));
  }

  Replay& replay_;
  TcpConnector connector_;
  std::unique_ptr<ByteStream> stream_;
  std::string early_;  // sent before it was connected
  FrameDecoder recorded_[2];
  FrameDecoder answers_;
  Endpoint peer_;
  bool ended_ = false;
};

Replay::Replay(Host& host, ReplayOptions options)
    : host_(host),
      options_(std::move(options)),
      printer_(host, false, FramePrinter::Mark::direction),
      file_(::open(options_.file.c_str(), O_RDONLY | O_CLOEXEC)),
      reader_(std::max<std::size_t>(kMaxRead, options_.max_frame)),
      base_(host.loop().now()),
      last_due_(base_) {
  if (!file_)
    throw SystemError(errno, fmt::format("cannot read '{}'", options_.file), ExitStatus::output);
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

// Reads on until there is a record. False at the end, and after a fault.
bool Replay::read_more() {
  const auto keep = [this](const RecordedBytes& record) { waiting_.push_back(record); };
  std::string chunk(65536, '\0');
  while (waiting_.empty() && !file_ended_) {
    const ssize_t count = ::read(file_.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      fail(ExitStatus::output,
           fmt::format("cannot read '{}': {}", options_.file, error_text(errno)));
      return false;
    }
    const std::string_view data(chunk.data(), static_cast<std::size_t>(count));
    file_ended_ = count == 0;
    const RecordingReader::Fault fault =
        file_ended_ ? reader_.finish(keep) : reader_.feed(data, keep);
    if (fault == RecordingReader::Fault::none) continue;
    fail(ExitStatus::protocol, fmt::format("'{}': {}", options_.file, reader_.fault_text()));
    return false;
  }
  return !waiting_.empty();
}

// A further run of the file begins when the one before it has ended.
TimePoint Replay::due(const RecordedBytes& record) {
  if (record.run != run_) {
    run_ = record.run;
    base_ = last_due_;
  }
  if (options_.speed <= 0) return base_;
  const double offset = static_cast<double>(record.offset.count()) / options_.speed;
  constexpr double kYear = 3.2e16;
  last_due_ = base_ + Duration(static_cast<Duration::rep>(std::min(offset, kYear)));
  return last_due_;
}

void Replay::play() {
  for (std::size_t i = 0; i < kBatch && !host_.finishing(); ++i) {
    if (waiting_.empty() && !read_more()) {
      if (!host_.finishing()) end_of_file();
      return;
    }
    const TimePoint at = due(waiting_.front());
    if (at > host_.loop().now()) {
      timer_ = host_.loop().at(at, [this] { play(); });
      return;
    }
    const RecordedBytes record = std::move(waiting_.front());
    waiting_.pop_front();
    play_one(record);
  }
  timer_ = host_.loop().after(Duration::zero(), [this] { play(); });
}

void Replay::play_one(const RecordedBytes& record) {
  Connection& from = connection({record.run, record.connection});
  const bool request = record.direction == Direction::to_server;
  const FrameError error = from.decode(record, [&](const FrameView& view) {
    if (!options_.target) return show(record.direction, view, nullptr);
    if (!request) ++expected_;
  });
  if (error && !options_.target) {
    return fail(ExitStatus::protocol,
                fmt::format("'{}' line {}: {}", options_.file, reader_.line(), error.text()));
  }
  if (options_.target && request) {
    sent_ += record.bytes.size();
    from.send(record.bytes);
  }
}

void Replay::show(Direction direction, const FrameView& view, const Endpoint* peer) {
  printer_.tick();
  printer_.print(direction, view, options_.codec, peer);
}

void Replay::on_answer() {
  ++received_;
  finish_if_done();
}

void Replay::end_of_file() {
  all_played_ = true;
  if (!options_.target) return host_.finish(ExitStatus::done);
  finish_if_done();
}

void Replay::finish_if_done() {
  if (!all_played_) return;
  if (received_ >= expected_) return host_.finish(ExitStatus::done);
  if (options_.wait == kNever) return;
  wait_timer_ = host_.loop().after(options_.wait, [this] {
    host_.finish(ExitStatus::no, fmt::format("{} of {} came, none within {} (--wait)", received_,
                                             counted(expected_, "recorded answer"),
                                             format_duration(options_.wait)));
  });
}

ReplayOptions replay_options(const Values& values) {
  ReplayOptions options;
  options.file = values.text("FILE");
  if (values.has("ADDRESS")) options.target = values.address("ADDRESS");
  options.speed = values.number("speed");
  options.wait = values.duration("wait");
  options.connect_timeout = values.duration("connect-timeout");
  options.codec = codec_option(values);
  options.max_frame = values.size("max-frame");
  return options;
}

}  // namespace

std::unique_ptr<Command> make_replay() {
  return std::make_unique<LoopCommand<Replay, replay_options>>();
}

}  // namespace netkit::frame
