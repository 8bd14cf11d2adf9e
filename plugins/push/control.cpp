#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <push/control.hpp>
#include <push/payload.hpp>
#include <push/topic.hpp>
#include <set>
#include <utility>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/held_bytes.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

using Verb = ControlLine::Verb;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::string_view kSubscribeForm = "write SUBSCRIBE NAME UDP-PORT";
constexpr std::string_view kUnsubscribeForm = "write UNSUBSCRIBE NAME";
constexpr std::string_view kPushForm = "write PUSH TOPIC LENGTH, then that many bytes";
constexpr std::string_view kVerbs = "write SUBSCRIBE, UNSUBSCRIBE, PUSH, LIST, STATUS or QUIT";

ControlLine wrong(std::string_view error) {
  return {.verb = Verb::wrong, .name = {}, .port = 0, .error = error};
}

ControlLine only(Verb verb) {
  return {.verb = verb, .name = {}, .port = 0, .error = {}};
}

bool is_word(std::string_view given, std::string_view word) {
  return std::equal(given.begin(), given.end(), word.begin(), word.end(), [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

// What follows the verb of a request line: a page in a browser can make one send it.
bool is_http(std::string_view rest) {
  return rest.substr(rest.find_last_of(" \t") + 1).starts_with("HTTP/");
}

ControlLine subscribe(std::string_view rest) {
  const std::size_t space = rest.find_last_of(" \t");
  if (space == std::string_view::npos) return wrong(kSubscribeForm);
  const auto port = read_integer<std::uint16_t>(rest.substr(space + 1)).value_or(0);
  if (port == 0) return wrong("a UDP port is a number from 1 to 65535");
  const auto name = clean_name(rest.substr(0, space));
  if (!name) return wrong(kNameForm);
  return {.verb = Verb::subscribe, .name = *name, .port = port, .error = {}};
}

ControlLine push(std::string_view rest) {
  const std::size_t space = rest.find(' ');
  const auto length = read_integer<std::size_t>(space == rest.npos ? "" : rest.substr(space + 1));
  if (!length) return {.verb = Verb::push, .name = {}, .port = 0, .error = kPushForm};
  std::string_view topic = rest.substr(0, space);
  if (topic == "-") topic = {};
  return {.verb = Verb::push, .name = topic, .port = 0, .error = {}, .length = *length};
}

void append_word(std::string& out, std::uint64_t value) {
  append_unsigned(out, value);
  out += ' ';
}

void append_path(std::string& out, const datagram::PathStatus& path) {
  out += '\t';
  append_fixed(out, Milliseconds(path.rtt).count(), 3);
  out += ' ';
  append_word(out, path.window);
  append_fixed(out, path.rate, 1);
  out += ' ';
  append_unsigned(out, path.retransmitted);
}

void append_reversibly(std::string& out, std::string_view name) {
  for (std::size_t end = 0; (end = name.find_first_of("\\\t")) != name.npos;
       name.remove_prefix(end + 1)) {
    escape_text(out, name.substr(0, end), false);
    out += name[end] == '\t' ? R"(\x09)" : R"(\x5c)";
  }
  escape_text(out, name, false);
}

std::string original(std::string_view escaped) {
  std::string out;
  for (std::size_t end = 0; (end = escaped.find(R"(\x)")) != escaped.npos;) {
    const auto byte = decode_hex(escaped.substr(end + 2, 2));
    const bool good = byte && byte->size() == 1;
    out.append(escaped.substr(0, good ? end : end + 2));
    if (good) out += *byte;
    escaped.remove_prefix(good ? end + 4 : end + 2);
  }
  return out.append(escaped);
}

}  // namespace

ControlLine parse_control(std::string_view line) {
  const std::string_view text = trim_white_space(line);
  if (text.empty()) return only(Verb::empty);
  const std::size_t space = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view verb = text.substr(0, space);
  const std::string_view rest = trim_white_space(text.substr(space));
  if (is_word(verb, "SUBSCRIBE")) return subscribe(rest);
  if (is_word(verb, "UNSUBSCRIBE")) {
    if (rest.empty()) return wrong(kUnsubscribeForm);
    const auto name = clean_name(rest);
    if (!name) return wrong(kNameForm);
    return {.verb = Verb::unsubscribe, .name = *name, .port = 0, .error = {}};
  }
  if (is_word(verb, "PUSH")) return push(rest);
  if (is_http(rest)) return only(Verb::http);
  if (!rest.empty()) return wrong(kVerbs);
  if (is_word(verb, "LIST")) return only(Verb::list);
  if (is_word(verb, "STATUS")) return only(Verb::status);
  if (is_word(verb, "QUIT")) return only(Verb::quit);
  return wrong(kVerbs);
}

void append_list_row(std::string& out, const RosterRow& row) {
  escape_text(out, row.name, false);
  out += ' ';
  row.address.append_to(out);
  out += '\n';
}

void append_status_row(std::string& out, const RosterRow& row) {
  row.address.append_to(out);
  out += row.plain ? " plain " : " native ";
  append_fixed(out, std::chrono::duration<double>(row.age).count(), 3);
  out += ' ';
  append_word(out, row.sent);
  append_word(out, row.lost);
  append_word(out, row.lag);
  append_reversibly(out, row.name);
  if (!row.plain) append_path(out, row.path);
  out += '\n';
}

namespace {

// What a netkit that knows less takes for a part of the name is set off by a tab, which no escaped
// name contains.
std::optional<datagram::PathStatus> cut_off_path(std::string_view& line) {
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) return datagram::PathStatus{};
  std::string_view rest = line.substr(tab + 1);
  line = line.substr(0, tab);
  std::array<double, 4> numbers{};
  for (double& number : numbers) {
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (read.ec != std::errc() || !(number >= 0 && number < 1e15)) return std::nullopt;
    rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  if (!rest.empty()) return std::nullopt;
  datagram::PathStatus path;
  path.rtt = std::chrono::duration_cast<Duration>(Milliseconds(numbers[0]));
  path.window = static_cast<std::size_t>(numbers[1]);
  path.rate = numbers[2];
  path.retransmitted = static_cast<std::uint64_t>(numbers[3]);
  return path;
}

}  // namespace

std::optional<StatusRow> parse_status_row(std::string_view line) {
  std::array<std::string_view, 6> words;
  for (std::string_view& word : words) {
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || space == 0) return std::nullopt;
    word = line.substr(0, space);
    line.remove_prefix(space + 1);
  }
  const auto path = cut_off_path(line);
  if (!path) return std::nullopt;
  StatusRow row{.name = original(line), .address = words[0], .kind = words[1], .path = *path};
  if (row.name.empty() || (row.kind != "plain" && row.kind != "native")) return std::nullopt;
  const auto age = read_number(words[2]);
  const auto sent = read_integer<std::uint64_t>(words[3]);
  const auto lost = read_integer<std::uint64_t>(words[4]);
  const auto lag = read_integer<std::uint64_t>(words[5]);
  if (!age || !sent || !lost || !lag) return std::nullopt;
  row.age_s = *age;
  row.sent = *sent;
  row.lost = *lost;
  row.lag = *lag;
  return row;
}

namespace {

constexpr std::size_t kMaxNames = 4096;                      // that one connection may hold
constexpr std::size_t kMaxAnswers = 1000;                    // that one may be owed
constexpr std::size_t kMaxOwed = std::size_t{1} << 20U;      // bytes of the records they are to
constexpr std::size_t kMaxRecords = std::size_t{64} << 20U;  // bytes of those that come, of all
constexpr std::size_t kMaxRest = 65536;  // bytes that are read and wait for them
// How long a line, with the record that follows it, may take from its first byte on.
constexpr Duration kPatience = std::chrono::minutes(1);
constexpr std::string_view kOthersName = "a key is valid for its own name only";

class ControlClient final : public TcpServer::Connection {
 public:
  ControlClient(Hub& hub, Publishing& publishing, std::shared_ptr<HeldBytes> held,
                const Endpoint& peer, std::uint64_t id)
      : hub_(hub),
        publishing_(publishing),
        held_(std::move(held)),
        holding_(held_.get(), peer.address()),
        id_(id) {}

 private:
  // An answer that is still to come keeps its place among the others.
  struct Answer {
    bool known = false;
    std::string text{};
    std::size_t size = 0;  // of the record that it is to
  };

  void on_open(std::string_view alpn) override;
  void on_received(std::string_view data) override {
    if (rest_.empty()) data.remove_prefix(obey(data));
    rest_.append(data);
    if (rest_.size() > kMaxRest) pause_reading();
    watch_the_time();
  }
  void on_drained() override {
    const std::string waiting = std::exchange(rest_, {});
    rest_ = waiting.substr(obey(waiting));
    if (rest_.empty()) resume_reading();
    watch_the_time();
    if (ended_) finish();
  }
  void on_half_closed() override {
    ended_ = true;
    finish();
  }
  void on_gone(int, std::string_view) override {
    patience_.reset();
    for (const std::string& name : names_) hub_.release(name, id_);
  }

  std::size_t obey(std::string_view data);
  std::size_t obey_lines(std::string_view lines);
  std::size_t take_record(std::string_view data);
  // A client with a key has its name, and no other.
  bool is_own(std::string_view name) const { return identity_.empty() || name == identity_; }
  bool is_held() const {
    return backed_up() || answers_.size() >= kMaxAnswers || owed_ >= kMaxOwed;
  }
  void watch_the_time();
  void finish();
  void give(std::string text);
  void give_known();
  void give_soon();
  void begin_record(const ControlLine& command);
  void publish();
  void take(const Line& line);
  void carry_out(const ControlLine& command);
  std::string_view subscribe(const ControlLine& command);
  std::string_view unsubscribe(const ControlLine& command);
  void answer_roster(bool with_numbers);

  Hub& hub_;
  Publishing& publishing_;
  std::shared_ptr<HeldBytes> held_;
  Holding holding_;  // of the record that is coming
  std::uint64_t id_;
  std::string identity_;                         // of its key; empty: in clear
  std::string topic_;                            // of the record that is coming
  std::string record_;                           // what has come of it
  std::size_t missing_ = 0;                      // bytes of it that have not
  std::string refusal_;                          // it is read, and not taken
  bool has_record_ = false;                      // one is coming
  std::deque<std::shared_ptr<Answer>> answers_;  // in their order, from the first that is not known
  std::size_t owed_ = 0;                         // bytes of their records
  // By which the end of the turn finds this connection, while it is about to give some.
  std::shared_ptr<ControlClient*> giving_;
  LineDecoder lines_{kMaxControlLine};
  std::string rest_;  // waits for the answers before it to be read
  Timer patience_;    // with what has begun to come
  bool ended_ = false;
  bool quits_ = false;  // once all is answered
  std::set<std::string, std::less<>> names_;
};

void ControlClient::on_open(std::string_view /*alpn*/) {
  identity_ = publishing_.identity_of(stream());
  const std::string why = publishing_.why_closed(peer(), identity_);
  if (why.empty()) return;
  give("ERR " + why + "\n");
  close();
}

// A peer that sends requests without reading the answers gets no more answers than it accepts.
// Returns how many bytes were processed.
std::size_t ControlClient::obey(std::string_view data) {
  std::size_t done = 0;
  while (done < data.size() && !is_held() && !closing() && !quits_) {
    const std::string_view left = data.substr(done);
    done += has_record_ ? take_record(left) : obey_lines(left);
  }
  return done;
}

std::size_t ControlClient::obey_lines(std::string_view lines) {
  return lines_.feed(lines, [this](const Line& line) {
    take(line);
    return !closing() && !quits_ && !is_held() && !has_record_;
  });
}

std::size_t ControlClient::take_record(std::string_view data) {
  const std::size_t size = std::min(missing_, data.size());
  if (refusal_.empty() && !holding_.hold(record_.size() + size)) {
    refusal_ = "too many records come at once";
    record_ = {};
  }
  if (refusal_.empty()) record_.append(data.substr(0, size));
  missing_ -= size;
  if (missing_ == 0) publish();
  return size;
}

// Time runs while something has begun to come, and is not held up here; anew with each line.
void ControlClient::watch_the_time() {
  const bool is_awaited = (has_record_ || lines_.pending() != 0) && rest_.empty() && !closing();
  if (!is_awaited) return patience_.reset();
  if (patience_.pending()) return;
  patience_ = server().loop().after(kPatience, [this] {
    give("ERR a line and its record have to come within a minute\n");
    close();
  });
}

// With what a script that has no newline at its end asked last.
void ControlClient::finish() {
  if (!rest_.empty() || closing()) return;
  if (!has_record_) lines_.finish([this](const Line& line) { take(line); });
  if (answers_.empty()) close();
}

// ---- answers

void ControlClient::give(std::string text) {
  answers_.push_back(std::make_shared<Answer>(Answer{true, std::move(text)}));
  give_known();
}

void ControlClient::give_known() {
  std::string text;
  while (!answers_.empty() && answers_.front()->known) {
    text += answers_.front()->text;
    owed_ -= answers_.front()->size;
    answers_.pop_front();
  }
  if (!text.empty()) write(text);
  if (quits_ && answers_.empty()) close();
}

// The bytes of one that is refused are passed over: they are never lines.
void ControlClient::begin_record(const ControlLine& command) {
  const std::string_view wrong = why_not_a_topic(command.name);
  refusal_ = wrong.empty() ? publishing_.why_refused(peer(), identity_, command.length)
                           : fmt::format("the topic {}", wrong);
  if (!refusal_.empty()) {
    server().notice(fmt::format("{} refused: {}", peer().to_string(), refusal_));
  }
  topic_ = command.name;
  record_.clear();
  missing_ = command.length;
  has_record_ = true;
  if (missing_ == 0) publish();
}

void ControlClient::publish() {
  has_record_ = false;
  holding_.hold(0);
  if (!refusal_.empty()) return give("ERR " + refusal_ + "\n");
  const auto slot = std::make_shared<Answer>(Answer{.size = record_.size()});
  owed_ += slot->size;
  answers_.push_back(slot);
  const std::weak_ptr<Answer> waiting = slot;
  publishing_.publish(topic_, record_, [this, waiting](std::string_view error) {
    const auto answer = waiting.lock();
    if (!answer) return;  // the connection is gone, and its answers with it
    answer->text = error.empty() ? "OK\n" : "ERR " + std::string(error) + "\n";
    answer->known = true;
    give_soon();
  });
}

// Those of one turn together.
void ControlClient::give_soon() {
  if (giving_) return;
  giving_ = std::make_shared<ControlClient*>(this);
  server().loop().defer([alive = std::weak_ptr(giving_)] {
    const auto self = alive.lock();
    if (!self) return;
    ControlClient& client = **self;
    client.giving_.reset();
    const bool was_held = client.is_held();
    client.give_known();
    if (was_held || client.ended_) client.on_drained();
  });
}

// ---- commands

void ControlClient::take(const Line& line) {
  patience_.reset();
  if (!line.too_long) return carry_out(parse_control(line.text));
  give("ERR a line has at most 512 bytes\n");
  close();
}

void ControlClient::carry_out(const ControlLine& command) {
  std::string_view error = command.error;
  switch (command.verb) {
    case Verb::empty:
      return;
    case Verb::list:
    case Verb::status:
      return answer_roster(command.verb == Verb::status);
    case Verb::http:
      give("ERR this is the control channel of netkit push, not HTTP\n");
      return close();
    case Verb::push:
      if (error.empty()) return begin_record(command);
      break;
    case Verb::subscribe:
      error = subscribe(command);
      break;
    case Verb::unsubscribe:
      error = unsubscribe(command);
      break;
    case Verb::quit:
    case Verb::wrong:
      break;
  }
  give(error.empty() ? "OK\n" : "ERR " + std::string(error) + "\n");
  const bool is_end_known = command.verb != Verb::push;  // of what follows the line
  if (command.verb != Verb::quit && is_end_known) return;
  quits_ = true;
  give_known();
}

std::string_view ControlClient::subscribe(const ControlLine& command) {
  if (!is_own(command.name)) return kOthersName;
  if (names_.size() >= kMaxNames && !names_.contains(command.name)) {
    return "this connection has too many names";
  }
  const std::string_view error =
      hub_.subscribe(command.name, peer().with_port(command.port), id_, server().loop().now());
  if (error.empty()) names_.emplace(command.name);
  return error;
}

std::string_view ControlClient::unsubscribe(const ControlLine& command) {
  if (!is_own(command.name)) return kOthersName;
  if (identity_.empty() && hub_.is_reserved(command.name)) return kReservedName;
  names_.erase(std::string(command.name));
  return hub_.unsubscribe(command.name) ? "" : "no subscriber has that name";
}

void ControlClient::answer_roster(bool with_numbers) {
  std::string answer = "OK ";
  append_unsigned(answer, hub_.size());
  answer += '\n';
  hub_.for_each_row(server().loop().now(), [&](const RosterRow& row) {
    with_numbers ? append_status_row(answer, row) : append_list_row(answer, row);
  });
  give(std::move(answer));
}

}  // namespace

std::unique_ptr<TcpServer> make_control_server(EventLoop& loop, const Log& log,
                                               const TcpServer::Options& options, Hub& hub,
                                               Publishing& publishing) {
  return std::make_unique<TcpServer>(
      loop, log, options,
      [&hub, &publishing, held = std::make_shared<HeldBytes>(kMaxRecords),
       last_id = std::uint64_t{0}](const Endpoint& peer) mutable {
        return std::make_unique<ControlClient>(hub, publishing, held, peer, ++last_id);
      });
}

}  // namespace netkit::push
