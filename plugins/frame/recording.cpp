#include <charconv>
#include <frame/recording.hpp>

#include <netkit/codec/binary_text.hpp>

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
  const std::string decimals = std::to_string(offset.count() % kNanoseconds);
  out += std::to_string(offset.count() / kNanoseconds);
  out += '.';
  out.append(kDecimals - decimals.size(), '0').append(decimals);
  out += ' ';
  out += std::to_string(connection);
  out += direction == Direction::to_server ? " > " : " < ";
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
  const std::string where = "line " + std::to_string(line());
  switch (fault_) {
    case Fault::none:
      return "no error";
    case Fault::no_header:
      return "this is no recording of netkit frame: it does not begin with '" +
             std::string(kMagic) + std::string(kVersion) + "'";
    case Fault::version:
      return where + " begins a recording of a version that is not known; " +
             std::string(kVersion) + " is";
    case Fault::bad_line:
      return where + " is no record (SECONDS CONNECTION > BASE64)";
    case Fault::cut_short:
      return where + " was cut short";
    case Fault::too_long:
      return where + " is over the limit of " + std::to_string(lines_.max_line()) +
             " bytes (--max-frame)";
  }
  return "unknown error";
}

}  // namespace netkit::frame
