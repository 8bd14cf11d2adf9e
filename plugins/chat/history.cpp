#include <algorithm>
#include <array>
#include <chat/history.hpp>
#include <cstddef>
#include <span>

#include <fmt/format.h>

#include <netkit/record/totals.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

void History::open(const std::string& path) {
  if (path.empty()) return;
  path_ = path;
  const int error = file_.open(path);
  if (error != 0) throw SystemError(error, fmt::format("cannot open {} (--history)", path));
}

void History::add(char direction, std::string_view who, std::string_view text, WallTime time) {
  if (!file_.is_open()) return;
  line_.clear();
  times_.append_rfc3339(line_, time);
  line_ += ' ';
  line_ += direction;
  line_ += ' ';
  const std::string name = escaped_text(who);
  for (const char c : name) {
    if (c == ' ') {
      line_ += "\\x20";
    } else if (c == '\t') {
      line_ += "\\x09";
    } else {
      line_ += c;
    }
  }
  line_ += ' ';
  escape_text(line_, text, false);
  line_ += '\n';
  const int error = file_.append(line_);
  if (error != 0) ++lost_;
  if (error != 0 && !failed_) {
    log_.error(fmt::format("cannot write {} (--history): {}", path_, error_text(error)));
  }
  failed_ = error != 0;
}

ExitStatus History::outcome(ExitStatus status) const {
  if (lost_ == 0 || status != ExitStatus::done) return status;
  throw Error(ExitStatus::output, fmt::format("{} {} missing in {}", counted(lost_, "line"),
                                              lost_ == 1 ? "is" : "are", path_));
}

// In front of every line; the day on a line of its own when it is another.
void EventPrinter::emit(Record record) {
  if (!options_.timestamps) return output_.emit(record);
  constexpr std::size_t kDay = 10;    // `2026-11-20 15:12:29`
  constexpr std::size_t kClock = 11;  // where its time begins
  prefix_.clear();
  times_.append_local_date(prefix_, record.time);
  if (day_ != prefix_.substr(0, kDay)) {
    // A session that begins today need not be told so.
    if (!day_.empty()) output_.write_text(fmt::format("--- {}\n", prefix_.substr(0, kDay)));
    day_ = prefix_.substr(0, kDay);
  }
  prefix_ = prefix_.substr(kClock, 5) + ' ';
  record.prefix = prefix_;
  output_.emit(record);
}

// Whether the name stands in it, in any case, as a word.
bool EventPrinter::calls(std::string_view text) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  const auto is_part = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           static_cast<unsigned char>(c) >= 0x80;
  };
  if (name_.empty()) return false;
  auto from = text.begin();
  while (true) {
    const auto at = std::search(from, text.end(), name_.begin(), name_.end(),
                                [&](char a, char b) { return lower(a) == lower(b); });
    if (at == text.end()) return false;
    const auto end = at + static_cast<std::ptrdiff_t>(name_.size());
    const bool begins = at == text.begin() || !is_part(at[-1]);
    if (begins && (end == text.end() || !is_part(*end))) return true;
    from = at + 1;
  }
}

void EventPrinter::emit(const Message& message, std::optional<std::uint64_t> seq,
                        const Endpoint& peer) {
  const bool is_private = (message.flags & Message::kPrivate) != 0;
  const bool is_action = (message.flags & Message::kAction) != 0;
  const FieldValue number = seq.value_or(0) == 0 ? FieldValue(kNotMeasured) : FieldValue(*seq);
  const std::array<Field, 4> fields{Field{"name", message.name}, Field{"seq", number},
                                    Field{"private", is_private}, Field{"action", is_action}};
  const std::array<Field, 3> without_seq{fields[0], fields[2], fields[3]};
  const WallTime time{std::chrono::microseconds(message.time_us)};
  Record record{.type = "message", .time = time, .peer = &peer, .payload = message.text};
  if (peer.port() == 0) record.peer = nullptr;  // it was said at another server
  record.fields = seq ? fields : std::span<const Field>(without_seq);
  record.is_call = calls(message.text) && message.name != name_;
  line_.clear();
  if (is_action) {
    line_ += "* ";
    line_ += message.name;
    line_ += ' ';
    line_ += message.text;
    record.line = line_;
  } else if (is_private) {
    line_ += '[';
    line_ += message.name;
    line_ += " to you] ";
    line_ += message.text;
    record.line = line_;
  }
  emit(record);
}

void EventPrinter::show(const Message& message, const Endpoint& peer) {
  emit(message, std::nullopt, peer);
}

void EventPrinter::notice(Record record) {
  if (options_.notices) emit(record);
}

void EventPrinter::emit(const Joined& joined, const Endpoint& peer, WallTime now) {
  const Field name{"name", joined.name};
  notice({.type = "joined", .time = now, .peer = &peer, .fields = {&name, 1}});
  history_.add('*', joined.name, "joined", now);
}

void EventPrinter::emit(const Left& left, const Endpoint& peer, WallTime now) {
  const std::array<Field, 2> fields{Field{"name", left.name},
                                    Field{"reason", to_string(left.reason)}};
  notice({.type = "left", .time = now, .peer = &peer, .fields = fields});
  line_ = "left (";
  line_ += to_string(left.reason);
  line_ += ')';
  history_.add('*', left.name, line_, now);
}

void EventPrinter::emit(const Renamed& renamed, const Endpoint& peer, WallTime now) {
  const std::array<Field, 2> fields{Field{"from", renamed.from}, Field{"name", renamed.to}};
  notice({.type = "renamed", .time = now, .peer = &peer, .fields = fields});
  line_ = "is now ";
  line_ += renamed.to;
  history_.add('*', renamed.from, line_, now);
}

void EventPrinter::emit(const Topic& topic, const Endpoint& peer, WallTime now) {
  const Field name{"name", topic.name};
  notice(
      {.type = "topic", .time = now, .peer = &peer, .fields = {&name, 1}, .payload = topic.text});
  line_ = "topic: ";
  line_ += topic.text;
  history_.add('*', topic.name, line_, now);
}

void EventPrinter::print(const FromRoom& event, std::uint64_t seq, const Endpoint& peer,
                         WallTime now) {
  if (const Message* message = std::get_if<Message>(&event)) {
    const bool is_private = (message->flags & Message::kPrivate) != 0;
    emit(*message, is_private ? std::nullopt : std::optional(seq), peer);
    return history_.add('<', message->name, message->text,
                        WallTime(std::chrono::microseconds(message->time_us)));
  }
  if (const Joined* joined = std::get_if<Joined>(&event)) return emit(*joined, peer, now);
  if (const Left* left = std::get_if<Left>(&event)) return emit(*left, peer, now);
  if (const Renamed* renamed = std::get_if<Renamed>(&event)) return emit(*renamed, peer, now);
  if (const Topic* topic = std::get_if<Topic>(&event)) return emit(*topic, peer, now);
}

void EventPrinter::print_undelivered(std::string_view text, std::string_view why,
                                     const Endpoint& peer, WallTime now) {
  const Field reason{"reason", why};
  emit(
      {.type = "undelivered", .time = now, .peer = &peer, .fields = {&reason, 1}, .payload = text});
}

}  // namespace netkit::chat
