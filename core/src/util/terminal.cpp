#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

#include <netkit/util/terminal.hpp>

namespace netkit {

bool takes_escapes(int fd) {
  const char* const terminal = std::getenv("TERM");
  return ::isatty(fd) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

bool takes_colors(int fd) {
  const char* const no_color = std::getenv("NO_COLOR");
  return takes_escapes(fd) && (no_color == nullptr || no_color[0] == '\0');
}

std::optional<std::size_t> terminal_columns(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return std::nullopt;
  return size.ws_col;
}

}  // namespace netkit
