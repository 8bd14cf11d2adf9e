#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <frame/options.hpp>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/size.hpp>

namespace netkit::frame {

CodecSpec codec_option(const Values& values) {
  return CodecSpec::parse(values.text("codec"));
}

std::string load_file(const std::string& path, std::uint64_t limit) {
  FileContent content = read_file(path, static_cast<std::size_t>(limit));
  if (content.error == EFBIG) {
    throw UsageError(
        fmt::format("'{}' has more than {} bytes (--max-frame)", path, format_size(limit)));
  }
  if (content.error != 0) throw SystemError(content.error, fmt::format("cannot read '{}'", path));
  return std::move(content.bytes);
}

std::size_t max_message_line(std::uint64_t max_frame) {
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 32U;
  constexpr std::uint64_t kWords = 4096;  // more than what stands before the bytes
  return static_cast<std::size_t>(std::min(max_frame, kLongest) * 3 + kWords);
}

bool may_read_input() {
  return ::isatty(STDIN_FILENO) == 0 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

bool is_input_open() {
  const int flags = ::fcntl(STDIN_FILENO, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

}  // namespace netkit::frame
