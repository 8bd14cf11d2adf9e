#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <frame/options.hpp>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file_descriptor.hpp>
#include <netkit/util/size.hpp>

namespace netkit::frame {

CodecSpec codec_option(const Values& values) {
  return CodecSpec::parse(values.text("codec"));
}

std::string load_file(const std::string& path, std::uint64_t limit) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw SystemError(errno, "cannot read '" + path + "'");
  constexpr std::size_t kChunk = 65536;
  std::string content;
  while (true) {
    const std::size_t before = content.size();
    content.resize(before + kChunk);
    const ssize_t count = ::read(file.get(), content.data() + before, kChunk);
    if (count < 0 && errno != EINTR) throw SystemError(errno, "cannot read '" + path + "'");
    content.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (content.size() > limit) {
      throw UsageError(
          fmt::format("'{}' has more than {} bytes (--max-frame)", path, format_size(limit)));
    }
    if (count == 0) return content;
  }
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

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace netkit::frame
