#include <chat/name.hpp>
#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

std::string_view why_not_a_name(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kMaxName) return "is longer than 64 bytes";
  if (!is_valid_utf8(name)) return "is not UTF-8";
  if (name.find('\t') != std::string_view::npos || escaped_text(name) != name) {
    return "holds control characters";
  }
  if (trim_white_space(name) != name) return "begins or ends with white space";
  if (name.front() == '/') return "begins with a slash";
  if (Endpoint::parse(name)) return "looks like an address";  // as those of plain members are
  return {};
}

std::string default_name() {
  const char* user = std::getenv("USER");
  if (user != nullptr && why_not_a_name(user).empty()) return user;
  const passwd* entry = ::getpwuid(::geteuid());
  if (entry != nullptr && why_not_a_name(entry->pw_name).empty()) return entry->pw_name;
  return "guest";
}

}  // namespace netkit::chat
