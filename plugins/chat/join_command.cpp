#include <chat/join_command.hpp>
#include <chat/join_session.hpp>
#include <chat/payload.hpp>
#include <chat/plain_session.hpp>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include <netkit/net/reconnect.hpp>
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

void JoinCommand::configure(const Values& values) {
  options_.address = values.address("ADDRESS");
  options_.name = values.given("name") ? values.text("name") : default_name();
  const std::string_view why = why_not_a_name(options_.name);
  if (!why.empty()) throw UsageError(fmt::format("--name: the name {}", why));
  options_.heartbeat = values.duration("heartbeat");
  options_.since = read_since(values);
  options_.history = values.text("history");
  options_.commands = values.flag("commands");
  options_.wait = values.duration("wait");
  options_.connect_timeout = values.duration("connect-timeout");
  options_.reconnect.limit = Reconnect::parse_limit(values.text("reconnect"));
  options_.reconnect.maximum = values.duration("reconnect-max");
  options_.count = static_cast<std::uint64_t>(values.integer("count"));
  plain_ = values.flag("plain");
}

ExitStatus JoinCommand::run(Host& host) {
  if (plain_) return PlainSession(host, options_).run();
  return JoinSession(host, options_).run();
}

}  // namespace netkit::chat
