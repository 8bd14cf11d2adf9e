// The second kind of plugin: an engine for `--store NAME:…`. Its source ends with one line,
//
//   NETKIT_STORE(sqlite, "keeps streams in a file", netkit::sqlite::make_engine)
//
// It is found, checked and listed as commands are, and loaded when a --store names it.
#pragma once

#include <cstdint>

#include <netkit/plugin/abi.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/store/engine.hpp>

namespace netkit {

// What the entry symbol `netkit_store_entry` returns.
struct StoreEntry {
  std::uint32_t abi;
  std::uint32_t reserved;
  const PluginNote* note;
  store::EngineFactory make;
};

// The type of the entry symbol. It only returns the address of constant data.
using StoreEntryFunction = const StoreEntry* (*)();
inline constexpr char kStoreEntrySymbol[] = "netkit_store_entry";

}  // namespace netkit

#ifdef NETKIT_STATIC_PLUGINS
#define NETKIT_STORE_ENTRY(name) netkit_store_entry_##name
#else
#define NETKIT_STORE_ENTRY(name) netkit_store_entry
#endif

// At namespace scope, once, in a plugin's source: `name` as an identifier, its file's name without
// .so and the scheme of its URLs; `summary` a literal of at most 123 bytes, one line; `Factory` the
// complete name of a store::EngineFactory.
#define NETKIT_STORE(name, summary, Factory)                                               \
  NETKIT_PLUGIN_NOTE(netkit_store_note_##name, 'S', name, summary)                         \
  extern "C" NETKIT_API const netkit::StoreEntry* NETKIT_STORE_ENTRY(name)() {             \
    static constexpr netkit::StoreEntry kEntry{netkit::kPluginAbi, 0,                      \
                                               &netkit_store_note_##name.note, (Factory)}; \
    return &kEntry;                                                                        \
  }
