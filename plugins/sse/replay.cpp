#include <algorithm>
#include <map>
#include <sse/replay.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

// Far more than a recorder writes at once.
constexpr std::size_t kMaxRecord = std::size_t{64} << 20U;
constexpr std::size_t kPerTurn = std::size_t{256} << 10U;  // bytes
constexpr std::size_t kLeastCost = 64;                     // of a record, in these bytes

// Reads the first request and the head of its answer of one connection.
struct Indexer final : ResponseReader::Handler {
  void on_head(const ResponseReader::Head& head) override {
    answer.status = head.status;
    answer.content_type = head.content_type;
    answer.content_encoding = head.content_encoding;
  }
  void on_body(std::string_view /*bytes*/) override {}

  // Of `GET /events?x=1 HTTP/1.1`: the path.
  void take_request(std::string_view bytes) {
    if (!answer.path.empty()) return;
    request += bytes.substr(0, bytes.find('\n'));
    const std::size_t begin = request.find(' ');
    const std::size_t end = request.find_first_of(" ?\r", begin + 1);
    if (begin == std::string::npos || end == std::string::npos) return;
    answer.path = request.substr(begin + 1, end - begin - 1);
  }

  Recording::Answer answer;
  std::string request;
  ResponseReader reader;
};

}  // namespace

Recording::Recording(std::string path) : path_(std::move(path)) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, Indexer> connections;
  RecordingPlayer player = play(TimePoint{});
  for (; const RecordedBytes* const record = player.front(); player.pop()) {
    Indexer& indexer = connections[{record->run, record->connection}];
    indexer.answer.run = record->run;
    indexer.answer.connection = record->connection;
    if (record->direction == Direction::to_server) {
      indexer.take_request(record->bytes);
    } else if (indexer.answer.status == 0) {
      indexer.reader.feed(record->bytes, indexer);
    }
  }
  if (!player.error().empty()) throw Error(player.status(), "--replay: " + player.error());
  for (auto& [key, indexer] : connections) {
    if (indexer.answer.status != 0) answers_.push_back(std::move(indexer.answer));
  }
  if (answers_.empty()) {
    throw Error(ExitStatus::config, fmt::format("--replay: '{}' holds no response", path_));
  }
}

const Recording::Answer* Recording::find(std::string_view path) const {
  const auto found = std::ranges::find(answers_, path, &Answer::path);
  if (found != answers_.end()) return &*found;
  return answers_.size() == 1 ? &answers_.front() : nullptr;
}

RecordingPlayer Recording::play(TimePoint now) const {
  return RecordingPlayer(
      {.path = path_, .command = "sse", .max_bytes = kMaxRecord, .limit_option = {}}, now);
}

ReplayStream::ReplayStream(EventLoop& loop, const Recording& recording,
                           const Recording::Answer& answer, const Options& options,
                           std::string_view last_event_id)
    : FaultStream(options.faults, last_event_id),
      loop_(loop),
      recording_(recording),
      answer_(answer),
      options_(options),
      player_(recording.play(loop.now())) {}

void ReplayStream::on_open() {
  send();
}

void ReplayStream::on_head(const ResponseReader::Head& /*head*/) {}

bool ReplayStream::is_mine(const RecordedBytes& record) const {
  return record.run == answer_.run && record.connection == answer_.connection &&
         record.direction == Direction::to_client;
}

// What is left out takes no time.
TimePoint ReplayStream::due(const RecordedBytes& record) {
  if (begin_ == TimePoint::max()) first_ = record.offset;
  const Duration since = replayed_after(record.offset - first_, options_.speed);
  if (begin_ == TimePoint::max() || is_skipping()) begin_ = loop_.now() - since;
  return begin_ + since;
}

// At the end: whether nothing was sent because no event has the id that was asked for.
bool ReplayStream::begin_again() {
  if (!is_skipping()) return false;
  skip_nothing();
  player_ = recording_.play(loop_.now());
  reader_.restart();
  begin_ = TimePoint::max();
  return true;
}

// So much a turn, so that a long recording keeps no other reader waiting.
void ReplayStream::send() {
  for (std::size_t left = kPerTurn; left > 0;) {
    if (ended() || backed_up() || is_stalled()) return;
    const RecordedBytes* const record = player_.front();
    if (record == nullptr) {
      if (begin_again()) continue;
      return reader_.finish() ? end() : cut();
    }
    if (is_mine(*record)) {
      const TimePoint when = due(*record);
      if (when > loop_.now()) {
        timer_ = loop_.at(when, [this] { send(); });
        return;
      }
      reader_.feed(record->bytes, *this);
      if (reader_.state() == ResponseReader::State::done) {
        if (begin_again()) continue;
        return end();
      }
    }
    left -= std::min(left, record->bytes.size() + kLeastCost);
    player_.pop();
  }
  timer_ = loop_.after(Duration::zero(), [this] { send(); });
}

}  // namespace netkit::sse
