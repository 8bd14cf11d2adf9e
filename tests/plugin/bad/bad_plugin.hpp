// Parts of plugins that are wrong in one way each. Every one leaves a file behind when its code
// runs, so that a test can tell whether it did.
#pragma once

#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

#include <netkit/plugin/plugin.hpp>

namespace bad {

// Runs with dlopen, before anything is asked of the plugin.
[[gnu::constructor]] inline void leave_a_trace() {
  const char* path = std::getenv("BAD_PLUGIN_TRACE");
  if (path != nullptr) ::close(::open(path, O_WRONLY | O_CREAT, 0600));
}

inline std::vector<netkit::ActionDef> no_actions() {
  return {};
}

}  // namespace bad

// A note that says what it is told to.
#define BAD_NOTE(abi, tag, name)                                 \
  [[gnu::used, gnu::section(".note.netkit")]] alignas(           \
      4) static constexpr netkit::PluginNoteSection bad_note = { \
      sizeof "netkit",                                           \
      sizeof(netkit::PluginNote),                                \
      netkit::kPluginNoteType,                                   \
      "netkit",                                                  \
      {{'n', 'e', 't', 'k', 'i', 't', 'P', '1'},                 \
       abi,                                                      \
       sizeof(netkit::PluginNote),                               \
       tag,                                                      \
       name,                                                     \
       "1",                                                      \
       "wrong in one way"}}
