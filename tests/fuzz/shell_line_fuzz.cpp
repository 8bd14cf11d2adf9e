// A line of the shell: read, or refused by a sentence; what is read can be quoted and read again.
#include "cli/shell_line.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <netkit/util/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const netkit::OpenCommand open = netkit::open_command(line);
  if (open.words.empty() || open.start > size) std::abort();
  try {
    for (const netkit::Pipeline& pipeline : netkit::parse_shell_line(line)) {
      if (pipeline.commands.empty()) std::abort();
      for (const netkit::ShellCommand& command : pipeline.commands) {
        std::string again;
        for (const std::string& word : command.words) again += netkit::quoted_word(word) + " ";
        if (netkit::parse_shell_line(again).at(0).commands.at(0).words != command.words) {
          std::abort();
        }
      }
    }
  } catch (const netkit::UsageError& error) {
    if (std::string_view(error.what()).empty()) std::abort();
  }
  return 0;
}
