#include <algorithm>
#include <push/topic.hpp>

#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

// The level in front, which is taken off with the slash behind it. `more`: there was one.
std::string_view take_level(std::string_view& path, bool& more) {
  const std::size_t slash = path.find('/');
  more = slash != std::string_view::npos;
  const std::string_view level = path.substr(0, slash);
  path.remove_prefix(more ? slash + 1 : path.size());
  return level;
}

bool has_blank(std::string_view text) {
  return has_unseen(text) || std::ranges::any_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte == 0x7F;
         });
}

}  // namespace

std::string_view why_not_a_topic(std::string_view topic) {
  if (topic.size() > kMaxTopic) return "is longer than 255 bytes";
  if (has_blank(topic)) return "contains blanks, invisible or control characters";
  if (topic.find_first_of("+#") != std::string_view::npos)
    return "contains + or #, which are wildcards";
  return {};
}

std::string_view why_not_a_filter(std::string_view filter) {
  if (filter.empty()) return "is empty (# is every topic)";
  if (filter.size() > kMaxTopic) return "is longer than 255 bytes";
  if (has_blank(filter)) return "contains blanks, invisible or control characters";
  bool more = true;
  while (more) {
    const std::string_view level = take_level(filter, more);
    const bool has_wildcard = level.find_first_of("+#") != std::string_view::npos;
    if (has_wildcard && level.size() > 1)
      return "contains + or # within a level (write a/+/c or a/#)";
    if (level == "#" && more) return "has a level after # (write a/#)";
  }
  return {};
}

bool matches(std::string_view filter, std::string_view topic) {
  if (filter == "#") return true;
  bool more_filter = true;
  bool more_topic = true;
  while (more_filter) {
    const std::string_view wanted = take_level(filter, more_filter);
    if (wanted == "#") return true;
    if (!more_topic) return false;
    const std::string_view level = take_level(topic, more_topic);
    if (wanted != "+" && wanted != level) return false;
    // `a/#` matches `a` as well.
    if (!more_topic && more_filter && filter == "#") return true;
  }
  return !more_topic;
}

bool matches(const std::vector<std::string>& filters, std::string_view topic) {
  return std::ranges::any_of(filters,
                             [topic](const std::string& one) { return matches(one, topic); });
}

}  // namespace netkit::push
