// What several actions of frame read from their command line in the same way.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/cli/values.hpp>
#include <netkit/codec/frame_codec.hpp>

namespace netkit::frame {

// --codec. Throws UsageError that names the option.
CodecSpec codec_option(const Values& values);

// What the file of a message holds, for parse_message(): at most `limit` bytes. Throws SystemError
// if it cannot be read, UsageError that names --max-frame if it is longer.
std::string load_file(const std::string& path, std::uint64_t limit);

// The longest line that a MESSAGE for a frame of that size can need.
std::size_t max_message_line(std::uint64_t max_frame);
// What is said of a longer one.
inline constexpr std::string_view kLongLine =
    "a line is longer than any message may be (--max-frame)";

// Whether reading standard input is allowed: a shell stops a job in the background that reads its
// terminal.
bool may_read_input();
// Whether there is a standard input: one that was closed has been replaced by one that can only be
// written to.
bool is_input_open();

}  // namespace netkit::frame
