#include <chat/web_member.hpp>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <netkit/datagram/link.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

// What is kept for a page that does not read.
constexpr std::size_t kMostEvents = 2000;

// An object of JSON, field by field.
class Json {
 public:
  Json& add(std::string_view key, std::string_view text) {
    begin(key);
    append_json_lossy(out_, text);
    return *this;
  }
  Json& add(std::string_view key, std::uint64_t number) {
    begin(key);
    append_unsigned(out_, number);
    return *this;
  }
  Json& add_flag(std::string_view key, bool value) {
    begin(key);
    out_ += value ? "true" : "false";
    return *this;
  }
  template <typename Texts>
  Json& add_all(std::string_view key, const Texts& texts) {
    begin(key);
    char separator = '[';
    if (texts.empty()) out_ += separator;
    for (const std::string& text : texts) {
      out_ += std::exchange(separator, ',');
      append_json_lossy(out_, text);
    }
    out_ += ']';
    return *this;
  }
  std::string take() { return std::move(out_) + "}"; }

 private:
  void begin(std::string_view key) {
    out_ += out_.empty() ? "{\"" : ",\"";
    out_ += key;
    out_ += "\":";
  }
  std::string out_;
};

Json json_of(const Message& message) {
  Json json;
  json.add("name", message.name).add("text", message.text);
  json.add("time", rfc3339(WallTime(std::chrono::microseconds(message.time_us))));
  json.add_flag("action", (message.flags & Message::kAction) != 0);
  return json;
}

}  // namespace

// The stream, which the HTTP server owns.
class WebMember::Ear final : public HttpStream {
 public:
  explicit Ear(WebMember& member) : member_(&member) {}
  ~Ear() override { on_gone(); }
  Ear(const Ear&) = delete;
  Ear& operator=(const Ear&) = delete;
  void part() { member_ = nullptr; }

 private:
  void on_open() override {
    if (member_ != nullptr) member_->pump();
  }
  void on_drained() override { on_open(); }
  void on_gone() override {
    WebMember* const member = std::exchange(member_, nullptr);
    if (member == nullptr) return;
    member->ear_ = nullptr;
    member->unheard_since_ = member->host_.loop().now();
  }

  WebMember* member_;
};

WebMember::WebMember(Host& host, const Endpoint& room, std::string tag, std::string name,
                     std::uint64_t since, const std::size_t& most_events)
    : host_(host),
      tag_(std::move(tag)),
      member_(Member::Options::of(std::move(name), since, datagram::system_random()),
              datagram::system_random(), static_cast<Member::Handler&>(*this)),
      driver_(host.loop(), std::vector{room}, member_, UdpClient::Options{}),
      most_bytes_(most_events),
      unheard_since_(host.loop().now()) {
  member_.connect(host.loop().now());
}

WebMember::~WebMember() {
  leave();
  if (ear_ == nullptr) return;
  ear_->part();
  ear_->end();
}

void WebMember::leave() {
  if (std::exchange(ended_, true)) return;
  member_.leave(host_.loop().now());
  driver_.flush();
}

std::unique_ptr<HttpStream> WebMember::listen(std::string_view after) {
  if (ear_ != nullptr) {
    ear_->part();
    ear_->end();
  }
  sent_ = 0;
  const std::size_t dash = after.find('-');
  if (dash != after.npos && after.substr(0, dash) == tag_) {
    sent_ = read_integer<std::uint64_t>(after.substr(dash + 1)).value_or(0);
  }
  auto ear = std::make_unique<Ear>(*this);
  ear_ = ear.get();
  return ear;
}

void WebMember::keep_alive() {
  if (ear_ != nullptr && !ear_->backed_up()) ear_->write(":\n\n");
}

void WebMember::pump() {
  if (ear_ == nullptr || sent_ >= last_) return;
  const std::uint64_t first = events_.front().number;
  if (sent_ + 1 < first) {
    const std::string why = fmt::format("{} lost: this page was away for too long, or too slow",
                                        counted(first - 1 - sent_, "event"));
    ear_->write(fmt::format("event: notice\ndata: {}\n\n", Json().add("text", why).take()));
    sent_ = first - 1;
  }
  while (sent_ < last_ && !ear_->backed_up()) {
    ear_->write(events_[sent_ + 1 - first].text);
    ++sent_;
  }
}

void WebMember::add(std::string_view type, std::string json) {
  ++last_;
  events_.push_back(
      {last_, fmt::format("id: {}-{}\nevent: {}\ndata: {}\n\n", tag_, last_, type, json)});
  bytes_ += events_.back().text.size();
  while (events_.size() > kMostEvents || (bytes_ > most_bytes_ && events_.size() > 1)) {
    bytes_ -= events_.front().text.size();
    events_.pop_front();
  }
  pump();
}

void WebMember::notice(std::string_view text) {
  add("notice", Json().add("text", text).take());
}

void WebMember::end(std::string_view type, std::string_view why) {
  ended_ = true;
  add(type, Json().add("why", why).take());
}

// ---- what the room says

void WebMember::on_joined(const Welcome& welcome) {
  add("welcome", Json().add("name", member_.name()).add("motd", welcome.motd).take());
  member_.request(Who{});
}

void WebMember::on_rejected(std::uint16_t code, std::string_view why) {
  end("refused", datagram::rejection(code, why).why);
}

void WebMember::on_lost(datagram::LeftReason reason, std::string_view text) {
  const datagram::Loss loss = datagram::loss_of(reason, text);
  const bool comes_back = loss.again && reason != datagram::LeftReason::bye;
  end(comes_back ? "closed" : "gone", loss.why);
}

void WebMember::on_event(const FromRoom& event, std::uint64_t seq) {
  const std::string now = rfc3339(host_.clock().wall());
  follow_roster(event);
  if (const Message* message = std::get_if<Message>(&event)) {
    if (ignored_.holds(message->name)) return;
    Json json = json_of(*message);
    if (seq != 0) json.add("seq", seq);
    add("message", json.add_flag("private", (message->flags & Message::kPrivate) != 0).take());
  } else if (const Joined* joined = std::get_if<Joined>(&event)) {
    add("joined", Json().add("name", joined->name).add("time", now).take());
  } else if (const Left* left = std::get_if<Left>(&event)) {
    add("left", Json()
                    .add("name", left->name)
                    .add("reason", to_string(left->reason))
                    .add("time", now)
                    .take());
  } else if (const Renamed* renamed = std::get_if<Renamed>(&event)) {
    add("renamed",
        Json().add("from", renamed->from).add("name", renamed->to).add("time", now).take());
  }
}

void WebMember::follow_roster(const FromRoom& event) {
  const Present* const present = std::get_if<Present>(&event);
  if (present == nullptr) return;
  if (!present->name.empty()) {
    roster_.emplace(present->name);
    return;
  }
  if (std::exchange(show_listing_, false)) {
    notice(fmt::format("here: {}", fmt::join(roster_, ", ")));
  }
  add("roster", Json().add_all("names", roster_).take());
  roster_.clear();
}

void WebMember::on_gap(const datagram::Gap& gap) {
  const std::uint64_t lost = (gap.to == 0 ? 0 : gap.to - gap.from + 1) + gap.unnumbered;
  notice(fmt::format("{} lost", counted(lost, "message")));
}

void WebMember::on_refused(std::string_view text, std::string_view why) {
  notice(text.empty() ? std::string(why) : fmt::format("undelivered ({}): {}", why, text));
}

// ---- what is typed

std::string WebMember::say(std::string_view line) {
  if (line.empty()) return {};
  const std::string normal = line.starts_with("/nick ") ? normal_name(line) : std::string(line);
  const TypedLine typed = read_member_line(normal);
  if (const Request* request = std::get_if<Request>(&typed)) {
    if (std::holds_alternative<Who>(*request)) show_listing_ = true;
    if (!member_.request(*request)) return std::string(Member::kTooLong);
    if (const Say* said = std::get_if<Say>(request)) show_own(*said);
    if (std::holds_alternative<Tell>(*request)) notice(normal);  // as it stays at a prompt
  } else if (const TypedIgnore* ignore = std::get_if<TypedIgnore>(&typed)) {
    notice(ignored_.obey(ignore->name));
  } else if (std::holds_alternative<TypedQuit>(typed)) {
    leave();
  } else if (std::holds_alternative<TypedHelp>(typed)) {
    notice(member_help());
  } else if (const TypedMistake* wrong = std::get_if<TypedMistake>(&typed)) {
    return wrong->why;
  }
  return {};
}

// The room does not say to a member what it said itself.
void WebMember::show_own(const Say& said) {
  const Message message = member_.own(said, host_.clock().wall());
  add("message", json_of(message).add_flag("own", true).take());
}

}  // namespace netkit::chat
