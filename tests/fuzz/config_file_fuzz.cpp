// Configuration files: read, or refused by a sentence with status 78; what is read stands on its
// line.
#include "cli/config_file.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const netkit::ConfigFile file = netkit::ConfigFile::parse(text, "f");
    std::size_t line = 0;
    for (const netkit::ConfigEntry& entry : file.entries()) {
      if (entry.line <= line || entry.section.empty() || entry.key.empty()) std::abort();
      if (!netkit::is_valid_utf8(entry.value)) std::abort();
      line = entry.line;
    }
  } catch (const netkit::Error& error) {
    if (error.status() != netkit::ExitStatus::config) std::abort();
    if (!std::string_view(error.what()).starts_with("f:")) std::abort();
  }
  return 0;
}
