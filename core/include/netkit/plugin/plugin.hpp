// What a plugin is. A plugin's source ends with one line,
//
//   NETKIT_PLUGIN(echo, "UDP and TCP echo server, client, ping and load test",
//                 netkit::echo::make_actions)
//
// which makes a note in the shared object (read before any of its code runs) and its entry symbol;
// built with NETKIT_STATIC_PLUGINS it makes an entry function instead that the executable lists.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/plugin/abi.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// One run of one action, in two phases. [loop thread]
class Command {
 public:
  virtual ~Command() = default;
  // Validates and remembers. Opens nothing, prints nothing. Throws UsageError or Error.
  virtual void configure(const Values& values) = 0;
  // Works: sets up sockets and callbacks on host.loop(), returns host.run_loop(). `host` outlives
  // it. Throws Error for what fails at set-up; what fails later goes to host.finish().
  virtual ExitStatus run(Host& host) = 0;
};

// `ActionDef::make` of an action whose run is a T.
template <typename T>
std::unique_ptr<Command> new_command() {
  return std::make_unique<T>();
}

// A plugin and its actions.
class Plugin {
 public:
  explicit Plugin(std::vector<ActionDef> actions) : actions_(std::move(actions)) {}
  // Valid as long as the plugin.
  std::span<const ActionDef> actions() const { return actions_; }

 private:
  std::vector<ActionDef> actions_;
};

// A plugin may have parts, separate shared objects that are loaded when they are first needed: for
// an action whose libraries take longer to load than everything else together. Creates what
// NETKIT_PLUGIN_PART(name, …) exports, from `parts/NAME.so` in the folder of the plugin that
// `inside`, the address of one of its functions, belongs to. The file and its folder are checked
// like those of a plugin; it stays loaded. Throws PluginError. [loop thread]
NETKIT_API std::unique_ptr<Command> load_part(const void* inside, std::string_view name);

}  // namespace netkit

// The plugin's own version, shown by `netkit plugins`; define it before the macro to have another.
#ifndef NETKIT_PLUGIN_VERSION
#define NETKIT_PLUGIN_VERSION NETKIT_VERSION
#endif

#ifdef NETKIT_STATIC_PLUGINS
#define NETKIT_PLUGIN_ENTRY(name) netkit_plugin_entry_##name
#define NETKIT_PLUGIN_NOTE_PLACE
#else
#define NETKIT_PLUGIN_ENTRY(name) netkit_plugin_entry
#define NETKIT_PLUGIN_NOTE_PLACE [[gnu::used, gnu::section(".note.netkit")]]
#endif

// The note that a plugin carries: `kind` is 'P' of a command, 'S' of an engine for --store.
#define NETKIT_PLUGIN_NOTE(variable, kind, name, summary)                                  \
  NETKIT_PLUGIN_NOTE_PLACE alignas(4) static constexpr netkit::PluginNoteSection variable{ \
      sizeof "netkit",                                                                     \
      sizeof(netkit::PluginNote),                                                          \
      netkit::kPluginNoteType,                                                             \
      "netkit",                                                                            \
      {{'n', 'e', 't', 'k', 'i', 't', kind, '1'},                                          \
       netkit::kPluginAbi,                                                                 \
       sizeof(netkit::PluginNote),                                                         \
       NETKIT_BUILD_TAG,                                                                   \
       #name,                                                                              \
       NETKIT_PLUGIN_VERSION,                                                              \
       summary}};

// At namespace scope, once, in a plugin's source: `name` as an identifier, its file's name without
// .so; `summary` a literal of at most 123 bytes, one line; `Factory` the complete name of a
// function `std::vector<netkit::ActionDef>()`, which may throw.
#define NETKIT_PLUGIN(name, summary, Factory)                                    \
  NETKIT_PLUGIN_NOTE(netkit_plugin_note_##name, 'P', name, summary)              \
  extern "C" NETKIT_API const netkit::PluginEntry* NETKIT_PLUGIN_ENTRY(name)() { \
    static constexpr netkit::PluginEntry kEntry{                                 \
        netkit::kPluginAbi, 0, &netkit_plugin_note_##name.note,                  \
        []() -> netkit::Plugin* { return new netkit::Plugin((Factory)()); },     \
        [](netkit::Plugin* plugin) { delete plugin; }};                          \
    return &kEntry;                                                              \
  }

// At namespace scope, once, in a part's source: `Type` is the Command that it has.
// NOLINTBEGIN(bugprone-macro-parentheses): a type takes none
#define NETKIT_PLUGIN_PART(name, Type)                          \
  extern "C" NETKIT_API netkit::Command* netkit_part_##name() { \
    return new Type;                                            \
  }
// NOLINTEND(bugprone-macro-parentheses)
