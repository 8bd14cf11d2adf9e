#include "plugin/plugin_file.hpp"

#include "plugin/registry.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

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
    return "has plugin ABI " + std::to_string(note.abi) + "; expected " +
           std::to_string(kPluginAbi);
  }
  if (note.size != sizeof(PluginNote)) {
    return "has a netkit note of " + std::to_string(note.size) + " bytes; expected " +
           std::to_string(sizeof(PluginNote));
  }
  if (note_text(note.build_tag) != NETKIT_BUILD_TAG) {
    return "was built for " + shown(note_text(note.build_tag)) + "; expected " +
           shown(NETKIT_BUILD_TAG);
  }
  const std::string_view name = note_text(note.name);
  if (name != wanted_name) {
    return "has the name " + shown(name) + " inside; expected its file's, " + shown(wanted_name);
  }
  if (!is_command_name(name)) {
    return "has the name " + shown(name) +
           "; expected lower-case letters, digits, '-' and '_', at most 31";
  }
  if (std::ranges::find(reserved_words(), name) != reserved_words().end()) {
    return "has the name " + shown(name) + ", which is a built-in command of netkit";
  }
  return {};
}

// Those who can put code into this process anyway: root, the user, the owner of the program.
bool is_trusted(uid_t owner) {
  struct stat program = {};
  return owner == 0 || owner == ::geteuid() ||
         (::stat("/proc/self/exe", &program) == 0 && owner == program.st_uid);
}

// A group that is its user's alone, as Debian makes one for each user.
bool is_private_group(gid_t group, uid_t owner) {
  const passwd* const user = ::getpwuid(owner);
  if (user == nullptr || user->pw_gid != group) return false;
  const std::string name = user->pw_name;
  const struct group* const entry = ::getgrgid(group);
  if (entry == nullptr || name != entry->gr_name) return false;
  for (char** member = entry->gr_mem; *member != nullptr; ++member) {
    if (name != *member) return false;
  }
  return true;
}

// A file or folder in which somebody else could have put code; `what` it is.
std::string trust_problem(const fs::path& path, std::string_view what, bool may_be_sticky) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    return fmt::format("cannot inspect its {}: {}", what, error_text(errno));
  }
  const unsigned mode = status.st_mode & 07777U;
  if (!is_trusted(status.st_uid)) {
    return fmt::format(
        "its {} belongs to the user {}, who is neither root nor you; run chown {} {}", what,
        status.st_uid, ::geteuid(), path.string());
  }
  // In a sticky folder nobody can replace files of others.
  if (may_be_sticky && (mode & S_ISVTX) != 0) return {};
  if ((mode & S_IWOTH) != 0) {
    return fmt::format("its {} is writable by others (mode {:04o}); run chmod o-w {}", what, mode,
                       path.string());
  }
  if ((mode & S_IWGRP) == 0 || is_private_group(status.st_gid, status.st_uid)) return {};
  return fmt::format("its {} is writable by a group (mode {:04o}); run chmod g-w {}", what, mode,
                     path.string());
}

// The folder and all above it.
std::string trust_problem_of_folders(const fs::path& folder) {
  std::string wrong = trust_problem(folder, "directory", false);
  for (fs::path path = folder; wrong.empty() && path != path.parent_path();) {
    path = path.parent_path();
    wrong = trust_problem(path, fmt::format("directory {}", path.string()), true);
  }
  return wrong;
}

}  // namespace

std::string ownership_problem(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return "cannot be inspected: " + error.message();
  std::string wrong = trust_problem(real, "file", false);
  if (wrong.empty()) wrong = trust_problem_of_folders(real.parent_path());
  // A link's own folders decide which file it is.
  const fs::path folder = fs::absolute(path).lexically_normal().parent_path();
  if (wrong.empty() && folder != real.parent_path()) wrong = trust_problem_of_folders(folder);
  return wrong.empty() ? wrong : "cannot be trusted: " + wrong;
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
  if (std::memcmp(reading.note->magic, kStoreMagic, sizeof kStoreMagic) == 0) {
    file.kind = PluginKind::store;
  }
  file.version = escaped_text(note_text(reading.note->version));
  file.summary = escaped_text(note_text(reading.note->summary));
  file.problem = note_problem(*reading.note, file.name);
  if (file.problem.empty()) file.problem = ownership_problem(path);
  return file;
}

std::span<const std::string_view> reserved_words() {
  static constexpr std::array<std::string_view, 7> kWords{
      "help", "plugins", "shell", "config", "completion", "psk", "version"};
  return kWords;
}

}  // namespace netkit
