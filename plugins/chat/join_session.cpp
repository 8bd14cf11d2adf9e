#include <algorithm>
#include <array>
#include <chat/join_session.hpp>
#include <csignal>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <netkit/util/error.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

constexpr Duration kGoodbye = std::chrono::seconds(1);  // what leaving after a signal may take

constexpr bool is_message(const FromRoom& event) {
  return std::holds_alternative<Message>(event);
}

constexpr int kMostNames = 99;  // name, name2 … name99

Member::Options member_options(const JoinOptions& given, bool interactive) {
  const bool shows_last = interactive && given.since == kSinceNow;
  Member::Options options = Member::Options::of(
      given.name, shows_last ? since_last(kLastShown) : given.since, datagram::system_random());
  options.native.heartbeat = given.heartbeat;
  options.native.connect_timeout = given.connect_timeout;
  if (given.room.identity) options.native.max_datagram -= datagram::kPrivateOverhead;
  return options;
}

std::string_view name_of(const FromRoom& event) {
  if (const Message* message = std::get_if<Message>(&event)) return message->name;
  return {};
}

}  // namespace

JoinSession::JoinSession(Host& host, const JoinOptions& options)
    : JoinRun(host, options),
      printer_(
          host.output(), history_,
          EventPrinter::Options{.notices = options.notices,
                                .timestamps = options.timestamps.value_or(host.interactive())}),
      member_(member_options(options, host.interactive()), datagram::system_random(),
              static_cast<Member::Handler&>(*this)) {}

void JoinSession::begin() {
  host_.output().on_unblocked([this] { member_.resume(host_.loop().now()); });
  if (host_.interactive()) {
    // The window was closed: leaving without BYE would keep the name taken until the lease ends.
    hung_up_ = host_.loop().on_signal(SIGHUP, [this] { give_up(ExitStatus::done, {}); });
  }
  open_input();
}

// The line editor shows candidates as they are, so a room cannot have any bytes there.
std::vector<std::string> JoinSession::complete(std::string_view line, std::string_view word) const {
  std::vector<std::string> names;
  std::ranges::copy_if(roster_, std::back_inserter(names), [](std::string_view name) {
    return is_shown_unchanged(name, false) && !has_unseen(name);
  });
  return complete_line(line, word, member_commands(), names);
}

// ---- the session

void JoinSession::try_again(std::string_view why, RetryBounds bounds) {
  if (host_.finishing()) return;
  if (stopping_) return finish(ExitStatus::done);
  link_->failed(why, ExitStatus::unreachable, bounds);
}

void JoinSession::on_joined(const Welcome& welcome) {
  joined_at_ = host_.loop().now();
  told_to_wait_ = false;
  link_->succeeded();
  host_.log().notice(fmt::format("joined {} as {}", link_->peer().to_string(), member_.name()));
  const bool first = !std::exchange(joined_, true);
  if (first && !welcome.motd.empty()) host_.log().notice(welcome.motd);
  if (!host_.interactive()) return;
  printer_.call_by(member_.name());
  listing_ = member_.request(Who{});
  show_listing_ = show_listing_ || first;
  roster_.clear();
}

// A user who chose no name gets the next free one.
bool JoinSession::try_next_name() {
  if (options_.is_name_given || ++names_tried_ > kMostNames) return false;
  const std::string next = fmt::format("{}{}", options_.name, names_tried_);
  if (!why_not_a_name(next).empty()) return false;
  member_.set_name(next);
  rename_ = host_.loop().after(Duration::zero(), [this] { member_.connect(host_.loop().now()); });
  return true;
}

void JoinSession::on_rejected(std::uint16_t code, std::string_view text) {
  if (code == static_cast<std::uint16_t>(datagram::RejectCode::taken) && try_next_name()) return;
  datagram::Loss loss = datagram::rejection(code, text);
  if (code == static_cast<std::uint16_t>(datagram::RejectCode::taken)) {
    loss.why += "; choose another with --name";
  }
  if (joined_ && loss.again) return try_again(loss.why);
  give_up(loss.status, loss.sentence(link_->server()));
}

void JoinSession::on_lost(datagram::LeftReason reason, std::string_view text) {
  using datagram::LeftReason;
  const datagram::Loss loss = reason == LeftReason::stranger ? datagram::stranger("a chat room")
                                                             : datagram::loss_of(reason, text);
  if (!loss.again || reason == LeftReason::bye) {
    return give_up(loss.status, loss.sentence(link_->server()));
  }
  // After a reset it answers, so there is nothing to wait for, unless it does so again and again.
  const bool lasted = host_.loop().now() - joined_at_ >= std::chrono::seconds(1);
  const bool at_once = reason == LeftReason::reset && lasted;
  try_again(loss.why, at_once ? RetryBounds::exactly(Duration::zero()) : RetryBounds{});
}

void JoinSession::on_unreachable(int error) {
  if (link_->pending()) return;
  member_.leave(host_.loop().now());
  try_again(error_text(error));
}

void JoinSession::on_finished() {
  finish(undelivered_ > 0 && !stopping_ ? ExitStatus::no : ExitStatus::done);
}

void JoinSession::stop() {
  stopping_ = true;
  if (input_) input_->pause();
  // A member that has asked to join may have joined already, and must leave properly.
  if (link_->outage()) return give_up(ExitStatus::done, {});
  member_.finish();
  patience_ = host_.loop().after(kGoodbye, [this] { give_up(ExitStatus::done, {}); });
}

void JoinSession::begin_end() {
  if (member_.finishing()) return;
  member_.finish();
  patience_ = host_.loop().after(options_.wait, [this] {
    give_up(joined_ || said_ > 0 ? ExitStatus::no : ExitStatus::unreachable,
            "the room did not answer in time (--wait)");
  });
}

void JoinSession::give_up(ExitStatus status, const std::string& why) {
  if (host_.finishing()) return;
  member_.for_each_undelivered([&](std::string_view text) {
    undelivered(text, why.empty() ? "cut short" : std::string_view(why));
  });
  member_.leave(host_.loop().now());
  finish(status, why);
}

// What ended the input first is why the run ends.
void JoinSession::finish(ExitStatus status, const std::string& why) {
  if (input_failure_) return host_.finish(*input_failure_, input_error_);
  host_.finish(status, why);
}

// ---- what the room says

void JoinSession::on_event(const FromRoom& event, std::uint64_t seq) {
  follow_roster(event);
  if (host_.interactive() && std::holds_alternative<Renamed>(event)) {
    printer_.call_by(member_.name());
  }
  if (host_.finishing() || ignored_.holds(name_of(event))) return;
  if (options_.count != 0 && received_ >= options_.count) return;  // on the way out
  printer_.print(event, seq, link_->peer(), host_.clock().wall());
  // Nobody reads: the room waits, and knows by the heartbeats that this member is still there.
  if (host_.output().blocked()) member_.pause();
  count_message(event);
}

void JoinSession::count_message(const FromRoom& event) {
  if (is_message(event) && ++received_ == options_.count) begin_end();
}

void JoinSession::follow_roster(const FromRoom& event) {
  if (const Joined* joined = std::get_if<Joined>(&event)) {
    roster_.emplace(joined->name);
  } else if (const Left* left = std::get_if<Left>(&event)) {
    if (const auto at = roster_.find(left->name); at != roster_.end()) roster_.erase(at);
  } else if (const Renamed* renamed = std::get_if<Renamed>(&event)) {
    if (const auto at = roster_.find(renamed->from); at != roster_.end()) roster_.erase(at);
    roster_.emplace(renamed->to);
  } else if (const Present* present = std::get_if<Present>(&event)) {
    if (!present->name.empty()) {
      roster_.emplace(present->name);
      return;
    }
    listing_ = false;
    if (std::exchange(show_listing_, false)) show_roster();
  }
}

void JoinSession::show_roster() {
  host_.log().notice(fmt::format("here: {}", fmt::join(roster_, ", ")));
}

void JoinSession::on_gap(const datagram::Gap& gap) {
  const std::uint64_t numbered = gap.to == 0 ? 0 : gap.to - gap.from + 1;
  lost_ += numbered + gap.unnumbered;
  std::string text = "lost ";
  if (numbered > 0) text += fmt::format("messages {} to {}", gap.from, gap.to);
  if (gap.unnumbered > 0) {
    text += fmt::format("{}{} notices", numbered > 0 ? " and " : "", gap.unnumbered);
  }
  host_.log().notice(text);
  const std::array<Field, 3> fields{Field{"from", gap.from}, Field{"to", gap.to},
                                    Field{"unnumbered", gap.unnumbered}};
  host_.output().emit({.type = "gap", .time = host_.clock().wall(), .fields = fields});
}

void JoinSession::on_refused(std::string_view text, std::string_view why) {
  if (text.empty() || host_.interactive()) return host_.log().error(why);
  undelivered(text, why);
}

void JoinSession::undelivered(std::string_view text, std::string_view why) {
  ++undelivered_;
  constexpr std::size_t kShown = 200;  // bytes, on standard error; the record has it whole
  host_.log().error(fmt::format("undelivered ({}): {}{}", why, excerpt(text, kShown),
                                text.size() > kShown ? "..." : ""));
  printer_.print_undelivered(text, why, link_->peer(), host_.clock().wall());
}

// ---- what is typed

void JoinSession::on_input_line(std::string_view line) {
  if (member_.finishing() || line.empty()) return;
  if (options_.commands || host_.interactive()) {
    const std::string normal = line.starts_with("/nick ") ? normal_name(line) : std::string();
    return obey(read_member_line(normal.empty() ? line : normal));
  }
  say(Say{false, line});
}

void JoinSession::on_input_end() {
  if (options_.count == 0 || host_.interactive()) begin_end();
}

bool JoinSession::on_input_failed(ExitStatus status, const std::string& error) {
  input_failure_ = status;
  input_error_ = error;
  begin_end();
  return true;
}

void JoinSession::obey(const TypedLine& typed) {
  if (const Request* request = std::get_if<Request>(&typed)) {
    if (!std::holds_alternative<Who>(*request) && text_of(*request).empty()) {
      member_.request(*request);
    } else if (std::holds_alternative<Who>(*request)) {
      roster_.clear();
      show_listing_ = listing_ = member_.request(*request);
    } else {
      say(*request);
    }
  } else if (const TypedIgnore* ignored = std::get_if<TypedIgnore>(&typed)) {
    host_.log().notice(ignored_.obey(ignored->name));
  } else if (std::holds_alternative<TypedQuit>(typed)) {
    begin_end();
  } else if (std::holds_alternative<TypedHelp>(typed)) {
    host_.log().notice(member_help());
  } else if (const TypedMistake* wrong = std::get_if<TypedMistake>(&typed)) {
    host_.log().error(wrong->why);
  }
}

void JoinSession::say(const Request& request) {
  const std::string_view text = text_of(request);
  if (text.empty()) return;
  if (!member_.request(request)) {
    return undelivered(text, Member::kTooLong);
  }
  ++said_;
  history_.add('>', member_.name(), text, host_.clock().wall());
  if (const Say* const said = std::get_if<Say>(&request)) show_own(*said);
  if (member_.full() && input_ && !std::exchange(paused_, true)) input_->pause();
}

// At a prompt what one says looks as it does to the others.
void JoinSession::show_own(const Say& said) {
  if (!input_ || !input_->wipe_typed()) return;
  printer_.show(member_.own(said, host_.clock().wall()), link_->peer());
  if (!link_->outage() || std::exchange(told_to_wait_, true)) return;
  host_.log().notice("not in the room: what you say is sent as soon as it can be reached");
}

void JoinSession::on_ready() {
  if (input_ && std::exchange(paused_, false)) input_->resume();
}

void JoinSession::show(Totals& totals) const {
  totals.add("received", received_);
  totals.add("said", said_);
  totals.add("undelivered", undelivered_);
  totals.add("lost", lost_);
  link_->show(totals, member_.counters());
}

}  // namespace netkit::chat
