// MESSAGE: what a user types for a frame, and what a frame of the codec `netkit` holds. A request
// is a signed 8-bit message id and a body; an answer has a signed 8-bit error code between the two.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/codec/frame_codec.hpp>

namespace netkit::frame {

enum MessageId : std::int8_t { kRegister = 0, kHeartbeat = 1, kDatetime = 2 };

inline constexpr std::size_t kAppidSize = 36;
inline constexpr std::size_t kImeiSize = 15;
inline constexpr std::int8_t kOk = 0;
inline constexpr std::int8_t kError = -1;

// `register`, `heartbeat`, `datetime`, or the number.
std::string id_name(std::int8_t id);

// The content of an answer; `body` views it.
struct Answer {
  std::int8_t id;
  std::int8_t error;
  std::string_view body;
};

// None if there is no room for an id and an error code.
std::optional<Answer> parse_answer(std::string_view content);

// The two bytes that every answer begins with.
constexpr std::array<char, 2> answer_head(std::int8_t id, std::int8_t error) {
  return {static_cast<char>(id), static_cast<char>(error)};
}

// What a file holds, for `@FILE`; throws SystemError if it cannot be read.
using FileLoader = std::function<std::string(const std::string& path)>;

// The content of the frame that MESSAGE stands for:
//
//     register:APPID,IMEI   heartbeat   datetime
//     ID:TEXT   ID:hex:00ff   ID:base64:AP8=   ID:@FILE      ID is -128 to 127
//     raw:TEXT  raw:hex:00ff  raw:base64:AP8=  raw:@FILE     the content as it is; with the codec
//                                                            netkit its first byte is the id
//
// With a codec without message ids all of it is the body: TEXT, hex:00ff, base64:AP8= or @FILE, or
// any of these after `raw:`. Throws UsageError that says what would be right, and what `load`
// throws.
std::string parse_message(std::string_view text, const CodecSpec& codec, const FileLoader& load);

// Whether what follows `ID:` stands for other bytes than its own.
inline bool is_special(std::string_view body) {
  if (body.empty()) return false;
  if (body[0] == 'h') return body.starts_with("hex:");
  if (body[0] == 'b') return body.starts_with("base64:");
  return body[0] == '@';
}

// An `ID:TEXT` that needs no more than to be cut in two, which most are in a stream; none for all
// other messages, and for what parse_message() refuses. `body` views `text`.
struct PlainMessage {
  char id;
  std::string_view body;
};
inline std::optional<PlainMessage> plain_message(std::string_view text, const CodecSpec& codec) {
  if (!codec.message_ids) return std::nullopt;
  constexpr std::size_t kDigits = 3;
  const bool negative = text.starts_with('-');
  std::size_t at = negative ? 1 : 0;
  const std::size_t end = std::min(text.size(), at + kDigits);
  const std::size_t begin = at;
  unsigned id = 0;
  for (; at < end && text[at] >= '0' && text[at] <= '9'; ++at) {
    id = id * 10 + static_cast<unsigned>(text[at] - '0');
  }
  if (at == begin || at == text.size() || text[at] != ':' || id > (negative ? 128U : 127U)) {
    return std::nullopt;
  }
  const std::string_view body = text.substr(at + 1);
  if (is_special(body)) return std::nullopt;
  return PlainMessage{static_cast<char>(negative ? 0U - id : id), body};
}

// Another protocol that peers of the wrong kind open with.
enum class Opening : std::uint8_t { unknown, http, tls, ssh, json };

// Recognises a connection by its first bytes; four suffice, three for TLS.
Opening recognise_opening(std::string_view first_bytes);
// `HTTP`, `TLS`, `SSH`, `JSON`; empty for unknown.
std::string_view opening_name(Opening opening);

// The first bytes of a connection.
class FirstBytes {
 public:
  void add(std::string_view data) {
    if (size_ < bytes_.size()) take(data);
  }
  Opening opening() const { return recognise_opening({bytes_.data(), size_}); }
  // Why a connection that opened like this is unusable: `error`, or that it is another protocol.
  // With frames delimited by marks, text is as valid as anything.
  std::string explain(const CodecSpec& codec, std::string_view error) const;

 private:
  void take(std::string_view data);

  std::array<char, 4> bytes_{};
  std::uint8_t size_ = 0;
};

// What an error shows of a message, which can be long: its beginning, printable, in quotes.
std::string in_quotes(std::string_view message);

// The content of a register request for `APPID,IMEI`, as --register has it: 36 and 15 bytes.
// Throws UsageError.
std::string register_content(std::string_view appid_imei);

// Appends the MESSAGE that parse_message() turns into `content` again: the shortest of the forms
// above, hexadecimal for what is not UTF-8 or has control characters, or for all with `hex`. The
// content is not empty if the codec has message ids.
void append_message(std::string& out, std::string_view content, const CodecSpec& codec,
                    bool hex = false);

}  // namespace netkit::frame
