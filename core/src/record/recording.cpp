#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/record/recording.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {

namespace {

constexpr std::string_view kVersion = "1";
constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr std::size_t kDecimals = 9;
constexpr std::size_t kPrefixSize = 64;  // more than what stands before the bytes

// The digits at the front of `text`, which they are taken from. At least one, no sign.
bool take_number(std::string_view& text, std::int64_t& number) {
  const std::size_t digits = leading_digits(text);
  const auto value = read_integer<std::int64_t>(text.substr(0, digits));
  text.remove_prefix(digits);
  number = value.value_or(0);
  return value.has_value();
}

bool take_char(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

// What stands before the version in a header.
std::string magic(std::string_view command) {
  return fmt::format("netkit-{}-recording ", command);
}

// Does not wait for somebody who writes to a named pipe.
FileDescriptor open_to_read(const std::string& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (file) ::fcntl(file.get(), F_SETFL, 0);
  return file;
}

}  // namespace

void append_recording_header(std::string& out, std::string_view command) {
  out.append(magic(command)).append(kVersion).append("\n");
}

void append_recorded(std::string& out, Duration offset, std::uint64_t connection,
                     Direction direction, std::string_view bytes) {
  fmt::format_to(std::back_inserter(out), "{}.{:09} {} {} ", offset.count() / kNanoseconds,
                 offset.count() % kNanoseconds, connection,
                 direction == Direction::to_server ? '>' : '<');
  append_base64(out, bytes);
  out += '\n';
}

Duration replayed_after(Duration offset, double speed) {
  if (speed <= 0) return {};
  constexpr double kYear = 3.2e16;
  const double after = static_cast<double>(offset.count()) / speed;
  return Duration(static_cast<Duration::rep>(std::clamp(after, -kYear, kYear)));
}

RecordingReader::RecordingReader(std::string_view command, std::size_t max_bytes,
                                 std::string_view limit_option)
    : command_(command),
      magic_(magic(command)),
      limit_option_(limit_option),
      lines_(max_bytes / 3 * 4 + 4 + kPrefixSize) {}

bool RecordingReader::parse(const Line& line) {
  if (fault_ != Fault::none) return false;
  if (line.too_long) {
    fault_ = Fault::too_long;
  } else if (!line.terminated) {
    fault_ = Fault::cut_short;
  } else if (line.text.starts_with(magic_)) {
    if (line.text.substr(magic_.size()) != kVersion) fault_ = Fault::version;
    ++record_.run;
  } else if (record_.run == 0) {
    fault_ = Fault::no_header;
  } else if (!line.text.empty() && line.text[0] != '#') {
    if (parse_record(line.text)) return true;
    fault_ = Fault::bad_line;
  }
  return false;
}

bool RecordingReader::parse_record(std::string_view text) {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::int64_t connection = 0;
  if (!take_number(text, seconds) || !take_char(text, '.')) return false;
  const std::size_t before = text.size();
  if (!take_number(text, nanoseconds) || before - text.size() != kDecimals) return false;
  if (seconds >= Duration::max().count() / kNanoseconds) return false;
  if (!take_char(text, ' ') || !take_number(text, connection) || connection == 0) return false;
  if (!take_char(text, ' ')) return false;
  const bool to_server = text.starts_with('>');
  if (!take_char(text, to_server ? '>' : '<') || !take_char(text, ' ')) return false;
  auto bytes = decode_base64(text);
  if (!bytes) return false;
  record_.offset = Duration(seconds * kNanoseconds + nanoseconds);
  record_.connection = static_cast<std::uint64_t>(connection);
  record_.direction = to_server ? Direction::to_server : Direction::to_client;
  record_.bytes = *std::move(bytes);
  return true;
}

std::string RecordingReader::fault_text() const {
  switch (fault_) {
    case Fault::none:
      return "no error";
    case Fault::no_header:
      return fmt::format("this is not a recording of netkit {}: it does not begin with '{}{}'",
                         command_, magic_, kVersion);
    case Fault::version:
      return fmt::format("line {} starts a recording of an unknown version; expected {}", line(),
                         kVersion);
    case Fault::bad_line:
      return fmt::format("line {} is not a record (SECONDS CONNECTION > BASE64)", line());
    case Fault::cut_short:
      return fmt::format("line {} is truncated", line());
    case Fault::too_long:
      return fmt::format("line {} exceeds the limit of {} bytes ({})", line(), lines_.max_line(),
                         limit_option_);
  }
  return "unknown error";
}

RecordingPlayer::RecordingPlayer(const Options& options, TimePoint start)
    : path_(options.path),
      speed_(options.speed),
      file_(open_to_read(path_)),
      reader_(options.command, options.max_bytes, options.limit_option),
      base_(start),
      last_due_(start) {
  if (!file_) throw SystemError(errno, fmt::format("cannot read '{}'", path_), ExitStatus::output);
  if (options.is_watched) ::fcntl(file_.get(), F_SETFL, O_NONBLOCK);
}

void RecordingPlayer::fail(ExitStatus status, std::string_view why) {
  ended_ = true;
  status_ = status;
  error_ = why;
}

const RecordedBytes* RecordingPlayer::front() {
  is_awaited_ = false;
  while (waiting_.empty() && !ended_ && !is_awaited_) read_more();
  return waiting_.empty() ? nullptr : &waiting_.front();
}

void RecordingPlayer::read_more() {
  const auto keep = [this](const RecordedBytes& record) { waiting_.push_back(record); };
  std::string chunk(65536, '\0');
  const ssize_t count = ::read(file_.get(), chunk.data(), chunk.size());
  if (count < 0) {
    is_awaited_ = errno == EAGAIN;
    if (errno == EINTR || is_awaited_) return;
    return fail(ExitStatus::output, fmt::format("cannot read '{}': {}", path_, error_text(errno)));
  }
  ended_ = count == 0;
  const std::string_view data(chunk.data(), static_cast<std::size_t>(count));
  const RecordingReader::Fault fault = ended_ ? reader_.finish(keep) : reader_.feed(data, keep);
  if (fault != RecordingReader::Fault::none) {
    fail(ExitStatus::protocol, fmt::format("'{}': {}", path_, reader_.fault_text()));
  }
}

TimePoint RecordingPlayer::due() {
  const RecordedBytes& record = waiting_.front();
  if (record.run != run_) {
    run_ = record.run;
    base_ = last_due_;
  }
  if (speed_ <= 0) return base_;
  return last_due_ = base_ + replayed_after(record.offset, speed_);
}

Recorder::Recorder(Run& run, std::string_view command, const std::string& path)
    : run_(&run), path_(path), start_(run.clock().now()) {
  if (path_.empty()) return;
  if (const int error = file_.open(path_); error != 0) {
    throw SystemError(error, fmt::format("cannot record to '{}'", path_), ExitStatus::output);
  }
  append_recording_header(line_, command);
  if (const int error = file_.append(line_); error != 0) {
    throw SystemError(error, fmt::format("cannot record to '{}'", path_), ExitStatus::output);
  }
}

void Recorder::append(std::uint64_t connection, Direction direction, std::string_view bytes) {
  line_.clear();
  append_recorded(line_, run_->clock().now() - start_, connection, direction, bytes);
  const int error = file_.append(line_);
  if (error == 0) return;
  file_.close();
  run_->finish(ExitStatus::output,
               fmt::format("cannot record to '{}': {}", path_, error_text(error)));
}

}  // namespace netkit
