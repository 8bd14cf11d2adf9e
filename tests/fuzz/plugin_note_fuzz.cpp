// Files that claim to be plugins: a note or a sentence, never both, and no byte beyond the file
// (which the address sanitizer tells: the copy has exactly its size).
#include "plugin/plugin_file.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::unique_ptr<std::byte[]> copy(new std::byte[size]);
  if (size > 0) std::memcpy(copy.get(), data, size);
  const netkit::NoteReading reading = netkit::read_plugin_note(std::span(copy.get(), size));
  if (reading.note.has_value() == !reading.problem.empty()) std::abort();
  if (reading.note && netkit::note_text(reading.note->name).size() > sizeof reading.note->name) {
    std::abort();
  }
  return 0;
}
