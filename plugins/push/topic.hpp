// Topics as MQTT has them: levels with slashes between, `+` for one of them, `#` for the rest.
// Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::push {

inline constexpr std::size_t kMaxTopic = 255;  // bytes

// Why it cannot be the topic of a record, as half a sentence; empty: it can. The empty one can.
std::string_view why_not_a_topic(std::string_view topic);
// The same for a topic filter.
std::string_view why_not_a_filter(std::string_view filter);

// `a/+/c` matches `a/b/c`, `a/#` matches `a` and all below it, `#` alone every topic.
bool matches(std::string_view filter, std::string_view topic);
// Whether one of them does.
bool matches(const std::vector<std::string>& filters, std::string_view topic);

}  // namespace netkit::push
