#include <charconv>
#include <chat/join_command.hpp>
#include <chat/join_session.hpp>
#include <chat/name.hpp>
#include <chat/payload.hpp>
#include <chat/plain_session.hpp>
#include <vector>

#include <netkit/net/reconnect.hpp>
#include <netkit/util/error.hpp>

namespace netkit::chat {

namespace {

std::uint64_t read_since(const Values& values) {
  if (!values.given("since")) return kSinceNow;
  const std::string text = values.text("since");
  if (text == "all") return kSinceAll;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw UsageError("--since: '" + text + "' is neither a number nor all");
  }
  return number == 0 ? kSinceAll : number;
}

}  // namespace

void JoinCommand::configure(const Values& values) {
  options_.address = values.address("ADDRESS");
  options_.name = values.given("name") ? values.text("name") : default_name();
  const std::string_view why = why_not_a_name(options_.name);
  if (!why.empty()) throw UsageError("--name: the name " + std::string(why));
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
