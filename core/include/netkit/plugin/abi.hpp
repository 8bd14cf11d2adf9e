// The boundary between the executable and a plugin's shared object: plain data in front, C++
// interfaces behind.
#pragma once

#include <cstdint>

namespace netkit {

class Plugin;

inline constexpr char kPluginMagic[8] = {'n', 'e', 't', 'k', 'i', 't', 'P', '1'};
// Raised with every incompatible change of the headers that a plugin may include; CMakeLists.txt
// has the same number.
inline constexpr std::uint32_t kPluginAbi = 1;

// The ELF note (section .note.netkit, owner "netkit", type 1) of a plugin, at fixed offsets,
// NUL-padded text.
struct PluginNote {
  char magic[8];
  std::uint32_t abi;
  std::uint32_t size;  // of this structure
  char build_tag[64];  // core version, compiler and major, C++ ABI: "0.1.0 gcc-12 cxx11"
  char name[32];       // of the command and of the file, without .so
  char version[24];
  char summary[124];
};
static_assert(sizeof(PluginNote) == 260);

// What the entry symbol `netkit_plugin_entry` gives.
struct PluginEntry {
  std::uint32_t abi;
  std::uint32_t reserved;
  const PluginNote* note;
  Plugin* (*create)();  // may throw; the caller owns the plugin and gives it back to destroy
  void (*destroy)(Plugin*);
};

}  // namespace netkit
