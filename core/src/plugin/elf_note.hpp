// The note of a plugin, read from the bytes of its file before any of its code runs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netkit/plugin/abi.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A note, or the sentence that says why there is none: "is not an ELF file", "is cut short …",
// "is built for aarch64, this is x86-64", "has no netkit note …". Never both.
struct NoteReading {
  std::optional<PluginNote> note{};
  std::string problem{};
};

// Looks through the program headers of a 64-bit little-endian shared object. Nothing in the file is
// believed: every offset and length is checked against the bytes there are. Any thread.
NETKIT_API NoteReading read_plugin_note(std::span<const std::byte> file);

// The same for a file, by mmap. Throws SystemError when it cannot be opened or is no regular file.
NETKIT_API NoteReading read_plugin_note(const std::string& path);

// The text of a note's field up to its NUL.
template <std::size_t size>
std::string_view note_text(const char (&field)[size]) {
  const std::string_view whole(field, size);
  return whole.substr(0, whole.find('\0'));
}

}  // namespace netkit
