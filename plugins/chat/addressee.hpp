// The addressee of a private message: `/msg ann hello`. Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace netkit::chat {

struct Addressee {
  std::string name{};  // normalized; empty: no member's name
  std::string_view text{};
};

// The addressee is the longest beginning of the line that is a member's name.
Addressee addressee_of(std::string_view line,
                       const std::function<bool(const std::string& name)>& is_member);
// "there is no 'ann' here"
std::string why_nobody(std::string_view line);

}  // namespace netkit::chat
