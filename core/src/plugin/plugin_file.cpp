#include "plugin/plugin_file.hpp"

#include "plugin/registry.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>

#include <netkit/plugin/abi.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

std::string shown(std::string_view text) {
  return "'" + escaped_text(text) + "'";
}

// Checks what the note says; empty: all is as wanted.
std::string note_problem(const PluginNote& note, std::string_view wanted_name) {
  if (note.abi != kPluginAbi) {
    return "has plugin ABI " + std::to_string(note.abi) + "; wanted is " +
           std::to_string(kPluginAbi);
  }
  if (note.size != sizeof(PluginNote)) {
    return "has a netkit note of " + std::to_string(note.size) + " bytes; wanted are " +
           std::to_string(sizeof(PluginNote));
  }
  if (note_text(note.build_tag) != NETKIT_BUILD_TAG) {
    return "was built for " + shown(note_text(note.build_tag)) + "; wanted is " +
           shown(NETKIT_BUILD_TAG);
  }
  const std::string_view name = note_text(note.name);
  if (name != wanted_name) {
    return "has the name " + shown(name) + " inside; wanted is its file's, " + shown(wanted_name);
  }
  if (!is_command_name(name)) {
    return "has the name " + shown(name) +
           "; wanted are lower-case letters, digits, '-' and '_', at most 31";
  }
  if (std::ranges::find(reserved_words(), name) != reserved_words().end()) {
    return "has the name " + shown(name) + ", which is a word of netkit itself";
  }
  return {};
}

// "file" or "folder" that somebody else could have put code into.
std::string writable_problem(const fs::path& path, std::string_view what) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return "cannot be looked at: " + error_text(errno);
  }
  if ((status.st_mode & S_IWOTH) == 0) return {};
  std::array<char, 8> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(status.st_mode & 07777U));
  return std::string(what) + " is writable by others (mode " + mode.data() + "); run chmod o-w " +
         path.string();
}

}  // namespace

std::string ownership_problem(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return "cannot be looked at: " + error.message();
  std::string wrong = writable_problem(real, "file");
  if (wrong.empty()) wrong = writable_problem(real.parent_path(), "folder");
  // A link's own folder decides which file it is.
  const fs::path folder = fs::absolute(path).parent_path();
  if (wrong.empty() && folder != real.parent_path()) wrong = writable_problem(folder, "folder");
  return wrong.empty() ? wrong : "cannot be trusted: its " + wrong;
}

PluginFile inspect_plugin(const std::string& path) {
  PluginFile file;
  file.path = path;
  file.name = fs::path(path).stem().string();
  NoteReading reading;
  try {
    reading = read_plugin_note(path);
  } catch (const Error& error) {
    file.problem = error.what();
    return file;
  }
  file.problem = std::move(reading.problem);
  if (!reading.note) return file;
  file.version = escaped_text(note_text(reading.note->version));
  file.summary = escaped_text(note_text(reading.note->summary));
  file.problem = note_problem(*reading.note, file.name);
  if (file.problem.empty()) file.problem = ownership_problem(path);
  return file;
}

std::span<const std::string_view> reserved_words() {
  static constexpr std::array<std::string_view, 6> kWords{"help",   "plugins",    "shell",
                                                          "config", "completion", "version"};
  return kWords;
}

}  // namespace netkit
