#include <charconv>
#include <frame/recording.hpp>
#include <iterator>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

constexpr std::string_view kMagic = "netkit-frame-recording ";
constexpr std::string_view kVersion = "1";
constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr std::size_t kDecimals = 9;
constexpr std::size_t kPrefixSize = 64;  // more than what stands before the bytes

// The digits at the front of `text`, which they are taken from. At least one, no sign.
bool take_number(std::string_view& text, std::int64_t& number) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_char(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

void append_recording_header(std::string& out) {
  out.append(kMagic).append(kVersion).append("\n");
}

void append_recorded(std::string& out, Duration offset, std::uint64_t connection,
                     Direction direction, std::string_view bytes) {
  fmt::format_to(std::back_inserter(out), "{}.{:09} {} {} ", offset.count() / kNanoseconds,
                 offset.count() % kNanoseconds, connection,
                 direction == Direction::to_server ? '>' : '<');
  append_base64(out, bytes);
  out += '\n';
}

RecordingReader::RecordingReader(std::size_t max_bytes)
    : lines_(max_bytes / 3 * 4 + 4 + kPrefixSize) {}

bool RecordingReader::parse(const Line& line) {
  if (fault_ != Fault::none) return false;
  if (line.too_long) {
    fault_ = Fault::too_long;
  } else if (!line.terminated) {
    fault_ = Fault::cut_short;
  } else if (line.text.starts_with(kMagic)) {
    if (line.text.substr(kMagic.size()) != kVersion) fault_ = Fault::version;
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
      return fmt::format("this is no recording of netkit frame: it does not begin with '{}{}'",
                         kMagic, kVersion);
    case Fault::version:
      return fmt::format("line {} begins a recording of a version that is not known; {} is", line(),
                         kVersion);
    case Fault::bad_line:
      return fmt::format("line {} is no record (SECONDS CONNECTION > BASE64)", line());
    case Fault::cut_short:
      return fmt::format("line {} was cut short", line());
    case Fault::too_long:
      return fmt::format("line {} is over the limit of {} bytes (--max-frame)", line(),
                         lines_.max_line());
  }
  return "unknown error";
}

Recorder::Recorder(Host& host, const std::string& path)
    : host_(&host), path_(path), start_(host.clock().now()) {
  if (path_.empty()) return;
  if (const int error = file_.open(path_); error != 0) {
    throw SystemError(error, fmt::format("cannot record to '{}'", path_), ExitStatus::output);
  }
  append_recording_header(line_);
  if (const int error = file_.append(line_); error != 0) {
    throw SystemError(error, fmt::format("cannot record to '{}'", path_), ExitStatus::output);
  }
}

void Recorder::append(std::uint64_t connection, Direction direction, std::string_view bytes) {
  line_.clear();
  append_recorded(line_, host_->clock().now() - start_, connection, direction, bytes);
  const int error = file_.append(line_);
  if (error == 0) return;
  file_.close();
  host_->finish(ExitStatus::output,
                fmt::format("cannot record to '{}': {}", path_, error_text(error)));
}

}  // namespace netkit::frame
