#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <frame/commands.hpp>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

Cutting read_cutting(const Values& values, Transport transport) {
  Cutting cutting;
  cutting.codec = CodecSpec::parse(values.text("codec"), Timing::timed);
  cutting.max_frame = values.size("max-frame");
  cutting.datagrams = transport == Transport::udp;
  if (cutting.datagrams) cutting.codec = cutting.codec.in_datagrams();
  if (!values.declared("bad")) return cutting;
  const std::string bad = values.text("bad");
  if (bad != "show") cutting.bad = bad == "fail" ? BadCheck::fail : BadCheck::drop;
  return cutting;
}

void CutTotals::add_to(Totals& totals) const {
  totals.add("bad_checks", bad_checks);
  totals.add("bad_frames", bad_frames);
  totals.add("skipped", skipped);
}

void CutTotals::add_news(const FrameCounters& now, FrameCounters& seen) {
  bad_checks += now.bad_checks - seen.bad_checks;
  bad_frames += now.bad_frames - seen.bad_frames;
  skipped += now.skipped - seen.skipped;
  seen = now;
}

void refuse_tls(const AddressSpec& address, std::string_view option) {
  if (address.transport != Transport::udp && address.transport != Transport::serial) return;
  throw UsageError(fmt::format("{}: there is no TLS over {}, only over TCP and unix sockets",
                               option, address.to_string()));
}

std::string read_message(std::string_view text, const CodecSpec& codec, std::uint64_t max_frame) {
  return parse_message(text, codec, [max_frame](const std::string& path) {
    FileContent content = read_file(path, static_cast<std::size_t>(max_frame));
    if (content.error == EFBIG) {
      throw UsageError(
          fmt::format("'{}' has more than {} bytes (--max-frame)", path, format_size(max_frame)));
    }
    if (content.error != 0) throw SystemError(content.error, fmt::format("cannot read '{}'", path));
    return std::move(content.bytes);
  });
}

std::size_t max_message_line(std::uint64_t max_frame) {
  constexpr std::uint64_t kLongest = std::uint64_t{1} << 32U;
  constexpr std::uint64_t kWords = 4096;  // more than what stands before the bytes
  return static_cast<std::size_t>(std::min(max_frame, kLongest) * 3 + kWords);
}

std::vector<std::string> complete_word(std::string_view word,
                                       std::initializer_list<std::string_view> candidates) {
  std::vector<std::string> found;
  for (const std::string_view candidate : candidates) {
    if (candidate.starts_with(word)) found.emplace_back(candidate);
  }
  return found;
}

std::string part_of_frame(std::size_t pending, std::uint64_t total) {
  if (total == 0) return counted(pending, "byte");
  return fmt::format("{} of {}", pending, counted(total, "byte"));
}

std::string cut_off(std::string_view what, std::size_t pending, std::uint64_t total) {
  return fmt::format("{} in the middle of a frame: {} received", what,
                     part_of_frame(pending, total));
}

bool may_read_input() {
  return ::isatty(STDIN_FILENO) == 0 || ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
}

bool is_input_open() {
  const int flags = ::fcntl(STDIN_FILENO, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY;
}

}  // namespace netkit::frame
