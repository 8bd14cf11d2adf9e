#include <algorithm>
#include <chat/addressee.hpp>
#include <chat/payload.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/text.hpp>

namespace netkit::chat {

Addressee addressee_of(std::string_view line,
                       const std::function<bool(const std::string& name)>& is_member) {
  std::size_t end = std::min(line.size(), kMaxName);
  while (end > 0) {
    end = line.find_last_of(" \t", end);
    if (end == std::string_view::npos) break;
    std::string name(normal_name(line.substr(0, end)));
    if (is_member(name)) return {std::move(name), trim_white_space(line.substr(end))};
    if (end > 0) --end;
  }
  return {};
}

std::string why_nobody(std::string_view line) {
  return fmt::format("there is no '{}' here",
                     line.substr(0, std::min(line.find_first_of(" \t"), kMaxName)));
}

}  // namespace netkit::chat
