// Whom a private message is for: `/msg ann hello`. Pure; any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace netkit::chat {

struct Addressee {
  std::string name{};  // as a name is normalized; empty: nobody is meant
  std::string_view text{};
};

// The longest beginning of the line that is a member's name is whom it is for.
Addressee addressee_of(std::string_view line,
                       const std::function<bool(const std::string& name)>& is_member);
// "there is no 'ann' here"
std::string why_nobody(std::string_view line);

}  // namespace netkit::chat
