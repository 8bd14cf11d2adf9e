// The boundary between the executable and a plugin's shared object: plain data in front, C++
// interfaces behind.
#pragma once

#include <cstddef>  // defines _GLIBCXX_USE_CXX11_ABI
#include <cstdint>

#include <netkit/version.hpp>

// What a plugin and the core must have in common besides the ABI number: C++ interfaces and objects
// of the standard library cross the boundary.
#define NETKIT_TEXT_OF_(x) #x
#define NETKIT_TEXT_OF(x) NETKIT_TEXT_OF_(x)

#if defined(__clang__)
#define NETKIT_COMPILER "clang-" NETKIT_TEXT_OF(__clang_major__)
#else
#define NETKIT_COMPILER "gcc-" NETKIT_TEXT_OF(__GNUC__)
#endif

#if _GLIBCXX_USE_CXX11_ABI
#define NETKIT_CXX_ABI "cxx11"
#else
#define NETKIT_CXX_ABI "cxx98"
#endif

// "0.1.0 gcc-12 cxx11"
#define NETKIT_BUILD_TAG NETKIT_VERSION " " NETKIT_COMPILER " " NETKIT_CXX_ABI

namespace netkit {

class Plugin;

// How a note begins: that of a command, and that of an engine for --store.
inline constexpr char kPluginMagic[8] = {'n', 'e', 't', 'k', 'i', 't', 'P', '1'};
inline constexpr char kStoreMagic[8] = {'n', 'e', 't', 'k', 'i', 't', 'S', '1'};
// Raised with every incompatible change of the headers that a plugin may include; CMakeLists.txt
// reads it from here.
inline constexpr std::uint32_t kPluginAbi = 3;

// The ELF note (section .note.netkit, owner "netkit", type 1) of a plugin, at fixed offsets,
// NUL-padded text.
struct PluginNote {
  char magic[8];
  std::uint32_t abi;
  std::uint32_t size;  // of this structure
  char build_tag[64];  // core version, compiler and major, C++ ABI: "0.1.0 gcc-12 cxx11"
  char name[32];       // of the command or the store's scheme, and of the file, without .so
  char version[24];
  char summary[124];
};
static_assert(sizeof(PluginNote) == 260);

inline constexpr std::uint32_t kPluginNoteType = 1;

// The section as it is in the file: an ELF note header, the owner, the note.
struct PluginNoteSection {
  std::uint32_t owner_size;  // with its NUL: 7
  std::uint32_t note_size;
  std::uint32_t type;
  char owner[8];  // padded to a multiple of four
  PluginNote note;
};
static_assert(sizeof(PluginNoteSection) == 20 + sizeof(PluginNote));

// What the entry symbol `netkit_plugin_entry` returns.
struct PluginEntry {
  std::uint32_t abi;
  std::uint32_t reserved;
  const PluginNote* note;
  Plugin* (*create)();  // may throw; the caller owns the plugin and gives it back to destroy
  void (*destroy)(Plugin*);
};

// The type of the entry symbol. It only returns the address of constant data.
using PluginEntryFunction = const PluginEntry* (*)();
inline constexpr char kPluginEntrySymbol[] = "netkit_plugin_entry";

}  // namespace netkit
