#include <algorithm>
#include <limits>
#include <push/serve_settings.hpp>
#include <utility>
#include <vector>

#include <netkit/util/error.hpp>

namespace netkit::push {

namespace {

constexpr std::string_view kDefaultAddress = "127.0.0.1:9000";

SlowPolicy slow_policy(std::string_view word) {
  if (word == "wait") return SlowPolicy::wait;
  return word == "drop" ? SlowPolicy::drop : SlowPolicy::skip;
}

void check(const Values& values) {
  const bool exec = values.given("exec");
  if (exec && values.given("from")) throw UsageError("--exec and --from exclude each other");
  if (exec && values.given("message")) throw UsageError("--exec and --message exclude each other");
  if (!exec && values.flag("on-change")) throw UsageError("--on-change is for --exec");
  if (values.duration("lease") < std::chrono::milliseconds(100)) {
    throw UsageError("--lease: at least 100ms");
  }
  if (values.given("every") && values.duration("every") <= Duration::zero()) {
    throw UsageError("--every: must be more than 0");
  }
}

}  // namespace

ServeSettings ServeSettings::read(const Values& values) {
  check(values);
  ServeSettings settings;
  std::vector<std::string> arguments = values.arguments();
  settings.address = take_address(arguments, AddressRole::server, kDefaultAddress);
  if (!arguments.empty()) throw UsageError("unexpected argument '" + arguments.front() + "'");
  settings.command = values.text("exec");
  settings.on_change = values.flag("on-change");
  if (values.given("every")) settings.every = values.duration("every");
  settings.hub.grace = values.duration("grace");
  settings.min_subscribers = static_cast<std::size_t>(values.integer("min-subscribers"));
  settings.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  settings.keep_open = values.flag("keep-open");

  settings.plain = AnswerPolicy::read_plain(values.text("plain"));
  settings.hub.slow = slow_policy(values.text("slow"));
  settings.hub.last = values.flag("last");
  settings.hub.max_subscribers = static_cast<std::size_t>(values.integer("max-subscribers"));
  datagram::Options& protocol = settings.hub.protocol;
  protocol.keep = static_cast<std::size_t>(values.integer("keep"));
  protocol.keep_bytes = static_cast<std::size_t>(values.size("keep-bytes"));
  // The table says who is too many; sessions that are on their way out have no place in it.
  protocol.max_sessions = settings.hub.max_subscribers + settings.hub.max_subscribers / 8 + 16;
  protocol.lease = std::min<Duration>(values.duration("lease"), std::chrono::hours(24 * 30));
  protocol.full_at_half = true;
  protocol.overflow = settings.hub.slow == SlowPolicy::skip ? datagram::Overflow::skip_oldest
                                                            : datagram::Overflow::keep_all;
  return settings;
}

}  // namespace netkit::push
