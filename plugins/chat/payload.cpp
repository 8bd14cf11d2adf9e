#include <chat/payload.hpp>

#include <netkit/util/big_endian.hpp>

namespace netkit::chat {

namespace {

// Codes of the messages from the room, and of the requests.
enum class Code : std::uint8_t {
  message = 1,
  joined = 2,
  left = 3,
  renamed = 4,
  present = 5,
  refused = 6,
  synced = 7,
  say = 65,
  tell = 66,
  rename = 67,
  who = 68,
  sync = 69,
};

using big_endian::Reader;
using big_endian::Writer;

template <typename Value, typename Result = Value>
std::optional<Result> if_good(const Reader& reader, const Value& value) {
  if (!reader.good()) return std::nullopt;
  return Result(value);
}

Writer& begin(Writer& out, Code code) {
  return out.number(static_cast<std::uint8_t>(code));
}

// One overload a message, so that what is written and what is read stand side by side.
void put(Writer& out, const Message& m) {
  begin(out, Code::message).number(m.flags).number(m.member).number(m.time_us).short_text(m.name);
  out.rest(m.text);
}
void put(Writer& out, const Joined& m) {
  begin(out, Code::joined).number(m.member).short_text(m.name);
}
void put(Writer& out, const Left& m) {
  begin(out, Code::left)
      .number(m.member)
      .number(static_cast<std::uint8_t>(m.reason))
      .short_text(m.name);
}
void put(Writer& out, const Renamed& m) {
  begin(out, Code::renamed).number(m.member).short_text(m.from).short_text(m.to);
}
void put(Writer& out, const Present& m) {
  begin(out, Code::present).short_text(m.name);
}
void put(Writer& out, const Refused& m) {
  begin(out, Code::refused).number(m.request).rest(m.why);
}
void put(Writer& out, const Synced&) {
  begin(out, Code::synced);
}
void put(Writer& out, const Say& m) {
  begin(out, Code::say).number(static_cast<std::uint8_t>(m.action ? 1 : 0)).rest(m.text);
}
void put(Writer& out, const Tell& m) {
  begin(out, Code::tell).rest(m.text);
}
void put(Writer& out, const Rename& m) {
  begin(out, Code::rename).short_text(m.name);
}
void put(Writer& out, const Who&) {
  begin(out, Code::who);
}
void put(Writer& out, const Sync&) {
  begin(out, Code::sync);
}

std::optional<FromRoom> get_message(Reader& in) {
  Message m;
  in.number(m.flags).number(m.member).number(m.time_us).short_text(m.name).rest(m.text);
  if (m.time_us > kMaxTime) return std::nullopt;
  return if_good<Message, FromRoom>(in, m);
}
std::optional<FromRoom> get_left(Reader& in) {
  Left m;
  std::uint8_t reason = 0;
  in.number(m.member).number(reason).short_text(m.name);
  if (reason > static_cast<std::uint8_t>(LeaveReason::reset)) return std::nullopt;
  m.reason = static_cast<LeaveReason>(reason);
  return if_good<Left, FromRoom>(in, m);
}
std::optional<FromRoom> get_renamed(Reader& in) {
  Renamed m;
  in.number(m.member).short_text(m.from).short_text(m.to);
  return if_good<Renamed, FromRoom>(in, m);
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
  }
  return "quit";
}

void encode(const Hello& hello, std::string& out) {
  Writer(out)
      .number(kPayloadVersion)
      .number(hello.instance)
      .number(hello.room)
      .number(hello.since)
      .number(hello.taken)
      .short_text(hello.name);
}

void encode(const Welcome& welcome, std::string& out) {
  Writer(out)
      .number(kPayloadVersion)
      .number(welcome.room)
      .number(welcome.member)
      .number(welcome.first)
      .number(welcome.taken)
      .number(welcome.rate)
      .rest(welcome.motd.substr(0, kMaxMotd));
}

void encode(const FromRoom& message, std::string& out) {
  Writer writer(out);
  std::visit([&](const auto& m) { put(writer, m); }, message);
}

void encode(const Request& request, std::string& out) {
  Writer writer(out);
  std::visit([&](const auto& m) { put(writer, m); }, request);
}

std::optional<Hello> decode_hello(std::string_view bytes) {
  Reader in(bytes);
  std::uint8_t version = 0;
  Hello hello;
  in.number(version).number(hello.instance).number(hello.room).number(hello.since);
  in.number(hello.taken).short_text(hello.name);
  if (version != kPayloadVersion) return std::nullopt;
  return if_good(in, hello);
}

std::optional<Welcome> decode_welcome(std::string_view bytes) {
  Reader in(bytes);
  std::uint8_t version = 0;
  Welcome welcome;
  in.number(version).number(welcome.room).number(welcome.member).number(welcome.first);
  in.number(welcome.taken).number(welcome.rate).rest(welcome.motd);
  if (version != kPayloadVersion) return std::nullopt;
  return if_good(in, welcome);
}

std::optional<FromRoom> decode_from_room(std::string_view bytes) {
  Reader in(bytes);
  std::uint8_t code = 0;
  in.number(code);
  switch (static_cast<Code>(code)) {
    case Code::message:
      return get_message(in);
    case Code::joined: {
      Joined m;
      in.number(m.member).short_text(m.name);
      return if_good<Joined, FromRoom>(in, m);
    }
    case Code::left:
      return get_left(in);
    case Code::renamed:
      return get_renamed(in);
    case Code::present: {
      Present m;
      in.short_text(m.name);
      return if_good<Present, FromRoom>(in, m);
    }
    case Code::refused: {
      Refused m;
      in.number(m.request).rest(m.why);
      return if_good<Refused, FromRoom>(in, m);
    }
    case Code::synced:
      return Synced{};
    default:
      return std::nullopt;
  }
}

std::optional<Request> decode_request(std::string_view bytes) {
  Reader in(bytes);
  std::uint8_t code = 0;
  in.number(code);
  switch (static_cast<Code>(code)) {
    case Code::say: {
      Say m;
      std::uint8_t action = 0;
      in.number(action).rest(m.text);
      m.action = action == 1;
      return if_good<Say, Request>(in, m);
    }
    case Code::tell: {
      Tell m;
      in.rest(m.text);
      return m;
    }
    case Code::rename: {
      Rename m;
      in.short_text(m.name);
      return if_good<Rename, Request>(in, m);
    }
    case Code::who:
      return Who{};
    case Code::sync:
      return Sync{};
    default:
      return std::nullopt;
  }
}

}  // namespace netkit::chat
