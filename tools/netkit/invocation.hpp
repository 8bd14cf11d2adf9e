// The words of the command line up to the command.
#pragma once

#include "cli/parser.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace netkit {

struct Invocation {
  std::vector<std::filesystem::path> plugin_dirs;
  std::string config;  // empty: the usual files
  HelpWish help = HelpWish::none;
  bool version = false;
  std::vector<std::string> words;  // the command and what follows
};

// Reads `--plugin-dir DIR`, `--config FILE`, `--help`, `-h`, `--version`. Throws UsageError.
Invocation read_invocation(std::span<const std::string> words);

}  // namespace netkit
