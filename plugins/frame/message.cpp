#include <algorithm>
#include <array>
#include <frame/message.hpp>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/digits.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

constexpr std::string_view kForms =
    "a message is register:APPID,IMEI, heartbeat, datetime, ID:TEXT, ID:hex:00ff, ID:base64:AP8=, "
    "ID:@FILE or raw:hex:00ff";

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw UsageError(fmt::format("message {}: {}", in_quotes(text), why));
}

// What follows `ID:` or `raw:`. `text` is the whole message, for errors.
std::string parse_body(std::string_view text, std::string_view body, const FileLoader& load) {
  constexpr std::string_view kHex = "hex:";
  constexpr std::string_view kBase64 = "base64:";
  if (body.starts_with(kHex)) {
    auto bytes = decode_hex(body.substr(kHex.size()));
    if (!bytes) refuse(text, "hex: needs two hexadecimal digits per byte, as in hex:00ff");
    return *std::move(bytes);
  }
  if (body.starts_with(kBase64)) {
    auto bytes = decode_base64(body.substr(kBase64.size()));
    if (!bytes) refuse(text, "base64: needs the standard alphabet (A-Z a-z 0-9 + /), as in AP8=");
    return *std::move(bytes);
  }
  if (!body.starts_with('@')) return std::string(body);
  if (body.size() == 1) refuse(text, "@ needs a file name");
  return load(std::string(body.substr(1)));
}

std::int8_t parse_id(std::string_view text, std::string_view word) {
  if (const auto id = read_integer<std::int8_t>(word)) return *id;
  const std::string_view digits = word.substr(word.starts_with('-') ? 1 : 0);
  if (!is_digits(digits)) {
    constexpr std::array<std::string_view, 3> kWords{"register", "heartbeat", "datetime"};
    refuse(text, std::string(kForms) + did_you_mean(word, kWords));
  }
  std::string why = "a message id is a signed 8-bit number, -128 to 127";
  if (const auto byte = read_integer<std::uint8_t>(word)) {
    why += fmt::format("; the byte {} is the id {}", word, *byte - 256);
  }
  refuse(text, why);
}

// As text if a terminal shows it as it is, on one line, and it says nothing else.
void append_body(std::string& out, std::string_view body, bool hex) {
  const std::size_t begin = out.size();
  if (!hex && !is_special(body)) {
    escape_text(out, body, false);
    if (out.size() - begin == body.size()) return;  // an escape is longer than what it stands for
    out.resize(begin);
  }
  out += "hex:";
  append_hex(out, body);
}

// A registration that `register:APPID,IMEI` stands for.
bool append_registration(std::string& out, std::string_view body) {
  if (body.size() != kAppidSize + kImeiSize) return false;
  if (body.find(',', kAppidSize) != std::string_view::npos) return false;
  const std::size_t begin = out.size();
  constexpr std::string_view kWord = "register:";
  out += kWord;
  escape_text(out, body, false);
  if (out.size() - begin == kWord.size() + body.size()) {
    out.insert(begin + kWord.size() + kAppidSize, 1, ',');
    return true;
  }
  out.resize(begin);
  return false;
}

}  // namespace

std::string in_quotes(std::string_view message) {
  constexpr std::size_t kShown = 40;
  std::string shown = "'";
  for (const char c : message.substr(0, kShown)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (message.size() > kShown ? "…'" : "'");
}

Opening recognise_opening(std::string_view first_bytes) {
  // The record type of a handshake or of an alert, which a server answers to what is no TLS, and
  // the major version that all of TLS has.
  if (first_bytes.size() >= 3 && (first_bytes[0] == 0x16 || first_bytes[0] == 0x15) &&
      first_bytes[1] == 0x03 && first_bytes[2] >= 0 && first_bytes[2] <= 4) {
    return Opening::tls;
  }
  const std::string_view four = first_bytes.substr(0, 4);
  if (four == "SSH-") return Opening::ssh;
  for (const std::string_view http :
       {"GET ", "HEAD", "POST", "PUT ", "DELE", "OPTI", "CONN", "PATC", "TRAC", "PRI ", "HTTP"}) {
    if (four == http) return Opening::http;
  }
  constexpr std::string_view kAfterBrace = "\"} \t\r\n";
  if (four.size() > 1 && four[0] == '{' && kAfterBrace.find(four[1]) != kAfterBrace.npos) {
    return Opening::json;
  }
  return Opening::unknown;
}

std::string_view opening_name(Opening opening) {
  switch (opening) {
    case Opening::http:
      return "HTTP";
    case Opening::tls:
      return "TLS";
    case Opening::ssh:
      return "SSH";
    case Opening::json:
      return "JSON";
    case Opening::unknown:
      break;
  }
  return "";
}

void FirstBytes::take(std::string_view data) {
  const std::string_view head = data.substr(0, bytes_.size() - size_);
  std::copy(head.begin(), head.end(), bytes_.begin() + size_);
  size_ = static_cast<std::uint8_t>(size_ + head.size());
}

std::string FirstBytes::explain(const CodecSpec& codec, std::string_view error) const {
  const std::string_view other = codec.by == CutBy::length ? opening_name(opening()) : "";
  return other.empty() ? std::string(error) : fmt::format("it speaks {}, not frames", other);
}

std::string id_name(std::int8_t id) {
  switch (id) {
    case kRegister:
      return "register";
    case kHeartbeat:
      return "heartbeat";
    case kDatetime:
      return "datetime";
    default:
      return std::to_string(id);
  }
}

std::optional<Answer> parse_answer(std::string_view content) {
  if (content.size() < 2) return std::nullopt;
  return Answer{static_cast<std::int8_t>(content[0]), static_cast<std::int8_t>(content[1]),
                content.substr(2)};
}

std::string register_content(std::string_view appid_imei) {
  const std::size_t comma = appid_imei.rfind(',');
  if (comma == std::string_view::npos) {
    throw UsageError(fmt::format("register {}: write APPID,IMEI, with a comma between them",
                                 in_quotes(appid_imei)));
  }
  const std::string_view appid = appid_imei.substr(0, comma);
  const std::string_view imei = appid_imei.substr(comma + 1);
  const auto check = [](const char* what, std::string_view value, std::size_t size) {
    if (value.size() == size) return;
    throw UsageError(fmt::format("{} {} has {}; it must have {}", what, in_quotes(value),
                                 counted(value.size(), "byte"), size));
  };
  check("appid", appid, kAppidSize);
  check("imei", imei, kImeiSize);
  std::string content(1, static_cast<char>(kRegister));
  content += appid;
  content += imei;
  return content;
}

std::string parse_message(std::string_view text, const CodecSpec& codec, const FileLoader& load) {
  const std::size_t colon = text.find(':');
  const bool has_body = colon != std::string_view::npos;
  // A word alone may have white space after it, as completion leaves it.
  const std::string_view word = has_body ? text.substr(0, colon) : trim_white_space(text);
  const std::string_view body = has_body ? text.substr(colon + 1) : std::string_view();
  if (word == "raw" && has_body) {
    std::string content = parse_body(text, body, load);
    if (codec.message_ids && content.empty()) {
      refuse(text, "a frame of the codec netkit needs at least a message id");
    }
    return content;
  }
  if (!codec.message_ids) return parse_body(text, text, load);
  if (word == "register") {
    if (!has_body) refuse(text, "write register:APPID,IMEI");
    return register_content(body);
  }
  if (word == "heartbeat" || word == "datetime") {
    if (has_body)
      refuse(text, fmt::format("{} has no body; use ID:TEXT for a message of your own", word));
    return std::string(1, static_cast<char>(word == "heartbeat" ? kHeartbeat : kDatetime));
  }
  const std::int8_t id = parse_id(text, word);
  if (!has_body) refuse(text, fmt::format("write {}: and a body, which may be empty", word));
  std::string content(1, static_cast<char>(id));
  content += parse_body(text, body, load);
  return content;
}

void append_message(std::string& out, std::string_view content, const CodecSpec& codec, bool hex) {
  if (!codec.message_ids) {
    out += "raw:";
    return append_body(out, content, hex);
  }
  const auto id = static_cast<std::int8_t>(content[0]);
  const std::string_view body = content.substr(1);
  if ((id == kHeartbeat || id == kDatetime) && body.empty()) {
    out += id_name(id);
    return;
  }
  if (id == kRegister && append_registration(out, body)) return;
  append_signed(out, id);
  out += ':';
  append_body(out, body, hex);
}

}  // namespace netkit::frame
