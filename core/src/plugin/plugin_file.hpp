// What can be checked about a plugin: its file, before any of its code runs, and its declarations.
#pragma once

#include "plugin/registry.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netkit/cli/option.hpp>
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

// Checks, in this order, and stops at the first that fails: it is an ELF shared object for this
// machine, has the note, the ABI number, the build tag, its file's name, no reserved word's, and
// nobody else could have made or changed it. Throws nothing. [main thread]
NETKIT_API PluginFile inspect_plugin(const std::string& path);

// Why the file of a plugin, or of a part of one, cannot be trusted, as sshd's StrictModes judges:
// the file or a folder of its path belongs to somebody who is neither root, the user nor the owner
// of the program, or may be written by others or by a group that is not its owner's alone; but a
// sticky folder above its own may. Empty: it can. [main thread]
std::string ownership_problem(const std::string& path);

// The first mistake as a sentence, such as "action serve: --reply: default '5x' …"; empty: none.
NETKIT_API std::string declaration_problem(std::span<const ActionDef> actions);

// Loads the shared object with every symbol bound at once and none given to others, finds the entry
// symbol, creates the plugin. Throws PluginError "plugin PATH cannot be loaded: …". [main thread]
NETKIT_API PluginPtr load_plugin(const std::string& path);
// The same of a store's; it makes nothing yet.
NETKIT_API store::EngineFactory load_store(const std::string& path);

// The same from the entry of one that is linked in; `what` names it in messages.
NETKIT_API PluginPtr create_plugin(const PluginEntry* entry, const std::string& what);

}  // namespace netkit
