#include <chat/join_command.hpp>
#include <chat/join_session.hpp>
#include <chat/payload.hpp>
#include <chat/plain_session.hpp>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

std::uint64_t read_since(const Values& values) {
  if (!values.given("since")) return kSinceNow;
  const std::string text = values.text("since");
  if (text == "all") return kSinceAll;
  const auto number = read_integer<std::uint64_t>(text);
  if (!number) throw UsageError(fmt::format("--since: '{}' is neither a number nor all", text));
  return *number == 0 ? kSinceAll : *number;
}

}  // namespace

std::string default_name() {
  const char* user = std::getenv("USER");
  if (user != nullptr && why_not_a_name(user).empty()) return user;
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry != nullptr && why_not_a_name(entry->pw_name).empty()) return entry->pw_name;
  return "guest";
}

JoinRun::JoinRun(Host& host, const JoinOptions& options)
    : host_(host), options_(options), history_(host.log()) {}

std::vector<std::string> JoinRun::complete(std::string_view, std::string_view) const {
  return {};
}

void JoinRun::open_input() {
  Input::Options options;
  options.history = "chat_history";
  options.complete = [this](std::string_view line, std::string_view word) {
    return complete(line, word);
  };
  input_ = Input::open(host_, *this, std::move(options));
}

ExitStatus JoinRun::run() {
  history_.open(options_.history);
  datagram::Link::Options room = options_.room;
  room.udp.socket.gro = true;
  room.udp.log = &host_.log();
  // Only who sits at a prompt ends the session.
  if (host_.interactive()) room.reconnect.limit = Reconnect::kForever;
  if (options_.heartbeat != kNever) room.udp.silence = 2 * options_.heartbeat;
  datagram::Link::Handler& handler = *this;
  link_.emplace(host_.loop(), host_.log(), std::move(room), driven(), handler);
  host_.set_totals([this](Totals& totals) { show(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  begin();
  link_->start();
  const ExitStatus status = host_.run_loop();
  input_.reset();
  if (link_->driver() != nullptr) link_->driver()->flush();
  return history_.outcome(status);
}

void JoinCommand::configure(const Values& values) {
  options_.room.servers = values.addresses("ADDRESS");
  options_.room.reconnect = reconnect_options(values);
  options_.room.identity = identity_of(values);
  options_.is_name_given = options_.room.identity || values.given("name");
  options_.name = options_.room.identity   ? options_.room.identity->name
                  : options_.is_name_given ? normal_name(values.text("name"))
                                           : default_name();
  const std::string_view why = why_not_a_name(options_.name);
  if (!why.empty()) throw UsageError(fmt::format("--name: the name {}", why));
  options_.room.privacy.heartbeat = options_.heartbeat = values.duration("heartbeat");
  options_.since = read_since(values);
  options_.history = values.text("history");
  options_.commands = values.flag("commands");
  options_.notices = values.text("notices") == "yes";
  if (values.given("timestamps")) options_.timestamps = values.flag("timestamps");
  options_.wait = values.duration("wait");
  options_.connect_timeout = values.duration("connect-timeout");
  options_.room.privacy.handshake_timeout = options_.connect_timeout;
  options_.count = static_cast<std::uint64_t>(values.integer("count"));
  plain_ = values.flag("plain");
}

ExitStatus JoinCommand::run(Host& host) {
  if (plain_) return PlainSession(host, options_).run();
  return JoinSession(host, options_).run();
}

}  // namespace netkit::chat
