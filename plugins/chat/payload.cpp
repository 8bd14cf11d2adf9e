#include <algorithm>
#include <chat/payload.hpp>
#include <concepts>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <uninorm.h>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/big_endian.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

using big_endian::Reader;
using big_endian::Writer;

// Codes of the first alternative of each; the others follow in their order.
constexpr std::uint8_t kFirstFromRoom = 1;
constexpr std::uint8_t kFirstRequest = 65;

// What each message holds, in the order of the wire: to write it by a Writer, or to read it by a
// Reader.
template <typename M, typename Of>
concept Is = std::same_as<std::remove_const_t<M>, Of>;
template <typename M>
concept IsAName = Is<M, Present> || Is<M, Rename> || Is<M, Kick> || Is<M, Ban>;

template <typename Io, Is<Hello> M>
void fields(Io& io, M& m) {
  io.number(m.instance).number(m.room).number(m.since).number(m.taken).short_text(m.name);
}
template <typename Io, Is<Welcome> M>
void fields(Io& io, M& m) {
  io.number(m.room).number(m.member).number(m.first).number(m.taken).number(m.rate).rest(m.motd);
}
template <typename Io, Is<Message> M>
void fields(Io& io, M& m) {
  io.number(m.flags).number(m.member).number(m.time_us).short_text(m.name).rest(m.text);
}
template <typename Io, Is<Joined> M>
void fields(Io& io, M& m) {
  io.number(m.member).short_text(m.name);
}
template <typename Io, Is<Left> M>
void fields(Io& io, M& m) {
  io.number(m.member).number(m.reason).short_text(m.name);
}
template <typename Io, Is<Renamed> M>
void fields(Io& io, M& m) {
  io.number(m.member).short_text(m.from).short_text(m.to);
}
template <typename Io, IsAName M>
void fields(Io& io, M& m) {
  io.short_text(m.name);
}
template <typename Io, Is<Refused> M>
void fields(Io& io, M& m) {
  io.number(m.request).rest(m.why);
}
template <typename Io, Is<Say> M>
void fields(Io& io, M& m) {
  std::uint8_t action = m.action ? 1 : 0;
  io.number(action).rest(m.text);
  if constexpr (!std::is_const_v<M>) m.action = action == 1;
}
template <typename Io, Is<Tell> M>
void fields(Io& io, M& m) {
  io.rest(m.text);
}
template <typename Io, Is<Topic> M>
void fields(Io& io, M& m) {
  io.number(m.member).short_text(m.name).rest(m.text);
}
template <typename Io, Is<Mute> M>
void fields(Io& io, M& m) {
  io.number(m.seconds).short_text(m.name);
}
template <typename Io, Is<SetTopic> M>
void fields(Io& io, M& m) {
  io.rest(m.text);
}
template <typename Io, typename M>
void fields(Io&, M&) {}  // Synced, Who, Sync

template <typename M>
bool is_valid(const M& m) {
  if constexpr (std::same_as<M, Message>) return m.time_us <= kMaxTime;
  if constexpr (std::same_as<M, SetTopic>) return m.text.size() <= kMaxTopic;
  if constexpr (std::same_as<M, Left>) return m.reason <= LeaveReason::revoked;
  return true;
}

template <typename M>
std::optional<M> read(Reader& in) {
  M m;
  fields(in, m);
  if (!in.good() || !is_valid(m)) return std::nullopt;
  return m;
}

template <typename Messages>
void write(std::uint8_t first_code, const Messages& message, std::string& out) {
  Writer writer(out);
  writer.number(static_cast<std::uint8_t>(first_code + message.index()));
  std::visit([&writer](const auto& m) { fields(writer, m); }, message);
}

template <typename Messages, std::size_t kIndex = 0>
std::optional<Messages> read_one(std::size_t index, Reader& in) {
  if constexpr (kIndex < std::variant_size_v<Messages>) {
    if (index != kIndex) return read_one<Messages, kIndex + 1>(index, in);
    if (auto m = read<std::variant_alternative_t<kIndex, Messages>>(in)) return *m;
  }
  return std::nullopt;
}

template <typename Messages>
std::optional<Messages> read_any(std::uint8_t first_code, std::string_view bytes) {
  Reader in(bytes);
  std::uint8_t code = 0;
  in.number(code);
  if (!in.good() || code < first_code) return std::nullopt;
  return read_one<Messages>(static_cast<std::size_t>(code - first_code), in);
}

// Hello and Welcome begin with a version instead of a code.
template <typename M>
std::optional<M> read_versioned(std::string_view bytes) {
  Reader in(bytes);
  std::uint8_t version = 0;
  in.number(version);
  return version == kPayloadVersion ? read<M>(in) : std::nullopt;
}

}  // namespace

std::string_view to_string(LeaveReason reason) {
  switch (reason) {
    case LeaveReason::quit:
      return "quit";
    case LeaveReason::lease:
      return "lease";
    case LeaveReason::reset:
      return "reset";
    case LeaveReason::kicked:
      return "kicked";
    case LeaveReason::banned:
      return "banned";
    case LeaveReason::revoked:
      return "revoked";
  }
  return "quit";
}

std::string_view text_of(const Request& request) {
  if (const Say* say = std::get_if<Say>(&request)) return say->text;
  if (const Tell* tell = std::get_if<Tell>(&request)) return tell->text;
  return {};
}

std::string normal_name(std::string_view name) {
  const bool is_ascii =
      std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii || !is_valid_utf8(name)) return std::string(name);
  std::size_t size = 0;
  const std::unique_ptr<std::uint8_t, decltype(&std::free)> normal(
      ::u8_normalize(UNINORM_NFC, reinterpret_cast<const std::uint8_t*>(name.data()), name.size(),
                     nullptr, &size),
      &std::free);
  if (!normal) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(normal.get()), size};
}

std::string_view why_not_a_name(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kMaxName) return "is longer than 64 bytes";
  if (!is_valid_utf8(name)) return "is not UTF-8";
  if (name.find('\t') != std::string_view::npos || escaped_text(name) != name) {
    return "contains control characters";
  }
  if (normal_name(name) != name) return "is not in Unicode normalization form C";
  if (has_unseen(name)) return "contains invisible characters or unusual spaces";
  if (trim_white_space(name) != name) return "begins or ends with white space";
  if (name.find("  ") != std::string_view::npos) return "contains two spaces in a row";
  // As netkit itself shows what is said: `[ann] text`, `[ann to you] text`.
  if (name.find_first_of("[]") != std::string_view::npos) return "contains a bracket";
  if (name.ends_with(" to you")) return "looks like a private message";
  if (name.front() == '/') return "begins with a slash";
  if (Endpoint::parse(name)) return "looks like an address";  // as those of plain members are
  return {};
}

void encode(const Hello& hello, std::string& out) {
  fields(Writer(out).number(kPayloadVersion), hello);
}

void encode(const Welcome& welcome, std::string& out) {
  Welcome cut = welcome;
  cut.motd = cut.motd.substr(0, kMaxMotd);
  fields(Writer(out).number(kPayloadVersion), cut);
}

void encode(const FromRoom& message, std::string& out) {
  write(kFirstFromRoom, message, out);
}

void encode(const Request& request, std::string& out) {
  write(kFirstRequest, request, out);
}

std::optional<Hello> decode_hello(std::string_view bytes) {
  return read_versioned<Hello>(bytes);
}

std::optional<Welcome> decode_welcome(std::string_view bytes) {
  return read_versioned<Welcome>(bytes);
}

std::optional<FromRoom> decode_from_room(std::string_view bytes) {
  return read_any<FromRoom>(kFirstFromRoom, bytes);
}

std::optional<Request> decode_request(std::string_view bytes) {
  return read_any<Request>(kFirstRequest, bytes);
}

}  // namespace netkit::chat
