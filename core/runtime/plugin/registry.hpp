// Plugins and `netkit-NAME` executables: finding, loading, checking and running them.
#pragma once

#include "util/environment.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/plugin/plugin.hpp>
#include <netkit/plugin/store_plugin.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct SearchPathInput {
  std::vector<std::filesystem::path> named{};  // by --plugin-dir; may be relative
  Environment environment{};
  std::filesystem::path installed{};  // the installation's own folder
};

// `--plugin-dir`, NETKIT_PLUGIN_PATH, $XDG_DATA_HOME/netkit/plugins/<abi> (~/.local/share), the
// installation's; each once. Empty and relative entries of the variables are left out, and so are
// folders that do not exist. Any thread.
NETKIT_API std::vector<std::filesystem::path> plugin_folders(const SearchPathInput& input);

// The folder of the running executable.
NETKIT_API std::filesystem::path executable_folder();

struct ExternalCommand {
  std::string name;
  std::filesystem::path path;
};

// Executables `netkit-NAME` in the absolute folders of a PATH, each name once, the first found.
NETKIT_API std::vector<ExternalCommand> external_commands(std::string_view path_variable);
NETKIT_API std::optional<ExternalCommand> find_external_command(std::string_view path_variable,
                                                                std::string_view name);

// Lower-case letters, digits, `-` and `_`, beginning with a letter or digit, at most 31.
NETKIT_API bool is_command_name(std::string_view name);

// The words of the command line that no plugin can take.
NETKIT_API std::span<const std::string_view> reserved_words();

// Gives a plugin back to the shared object that made it. The shared object itself is never
// unloaded: what it registered (threads, destructors, string literals in declarations) may outlive
// its use.
struct GiveBack {
  void (*destroy)(Plugin*) = nullptr;
  void operator()(Plugin* plugin) const { destroy(plugin); }
};
using PluginPtr = std::unique_ptr<Plugin, GiveBack>;

enum class PluginKind : std::uint8_t { command, store };

struct PluginFile {
  std::string name;     // of the command or the store's scheme: the file's name without .so
  std::string path;     // empty: linked into the executable
  std::string version;  // of the plugin, from its note; empty where there is none
  std::string summary;
  // Why it is refused, to stand after its path: "has ABI 2; expected 1". Empty: it may be loaded.
  std::string problem{};
  PluginKind kind = PluginKind::command;  // as the note says; a file without one counts as one
};

// Looks at files when it is asked, and remembers nothing. [main thread]
class NETKIT_API Registry {
 public:
  // `linked` and `linked_stores` are the entries of plugins that are part of the executable; they
  // win.
  Registry(std::vector<std::filesystem::path> folders, std::span<const PluginEntryFunction> linked,
           std::span<const StoreEntryFunction> linked_stores = {});

  // All, by name; a file whose name an earlier folder has too comes after it, with "is a duplicate
  // of …" as its problem.
  std::vector<PluginFile> list() const;
  // The command that `name` stands for: the first folder's that has NAME.so, whatever is wrong with
  // it.
  std::optional<PluginFile> find(std::string_view name) const;
  // Throws PluginError with the sentence of the check that failed.
  PluginPtr load(std::string_view name) const;
  // The factory of engines for the scheme of a URL. Throws UsageError if there is none,
  // PluginError.
  store::EngineFactory load_store(std::string_view scheme) const;

  const std::vector<std::filesystem::path>& folders() const { return folders_; }

 private:
  const PluginEntry* find_linked(std::string_view name) const;
  std::optional<PluginFile> find_file(std::string_view name, PluginKind kind) const;
  std::vector<std::filesystem::path> folders_;
  std::vector<PluginEntryFunction> linked_;
  std::vector<StoreEntryFunction> linked_stores_;
};

// Loads the plugin in a child process, creates it and checks its declarations. Returns a sentence
// that says what is wrong, to follow its path: the result of a check, "crashed while it loaded:
// segmentation fault", "did not finish loading in 10s", "ended the process while it loaded". Empty:
// nothing is wrong. Does the checks that run no code of it first, in this process. Throws
// SystemError if no child can be created. [main thread, no other thread running]
NETKIT_API std::string probe_plugin(const std::string& path, Duration limit);

// Configures a run of the action and runs it, with what all commands have in common: sinks,
// signals, totals. Returns the exit status. Throws Error for everything before the run. Ends the
// process by a signal where the run was ended by one that says so (SIGPIPE). [main thread]
NETKIT_API int run_action(const std::string& command, const ActionDef& action, const Values& values,
                          const Registry& registry);

}  // namespace netkit
