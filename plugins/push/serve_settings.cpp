#include <algorithm>
#include <limits>
#include <push/serve_settings.hpp>
#include <utility>

namespace netkit::push {

namespace {

SlowPolicy slow_policy(std::string_view word) {
  if (word == "wait") return SlowPolicy::wait;
  return word == "drop" ? SlowPolicy::drop : SlowPolicy::skip;
}

}  // namespace

ServeSettings ServeSettings::read(const Values& values) {
  ServeSettings settings;
  settings.address = values.address("ADDRESS");
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
