#include "plugin/plugin_file.hpp"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

using Bytes = std::span<const std::byte>;

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr unsigned kMachine = EM_RISCV;
#else
#error "tell the number of this machine's ELF files"
#endif

constexpr std::size_t kNoteHeaderSize = 12;
// A section may be larger than the note it begins with, by notes that come after it.
constexpr std::size_t kMaxProgramHeaders = 128;

// A value at any offset, aligned or not.
template <typename T>
std::optional<T> read_at(Bytes bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

bool holds(Bytes bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "riscv";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390x";
    default:
      return "machine number " + std::to_string(machine);
  }
}

NoteReading problem(std::string text) {
  return {.note = std::nullopt, .problem = std::move(text)};
}

// Empty: it is a shared object for this machine.
std::string header_problem(const Elf64_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    return "is an ELF file of another word size or byte order; expected 64-bit, little-endian";
  }
  if (header.e_machine != kMachine) {
    return "is built for " + machine_name(header.e_machine) + "; expected " +
           machine_name(kMachine);
  }
  if (header.e_type != ET_DYN) return "is an ELF file, but not a shared object";
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxProgramHeaders) {
    return "has invalid program headers";
  }
  return {};
}

constexpr std::uint64_t padded(std::uint64_t size) {
  return (size + 3) & ~std::uint64_t{3};
}

NoteReading take_note(Bytes description) {
  const auto note = read_at<PluginNote>(description, 0);
  const auto begins_with = [&note](const char(&magic)[8]) {
    return std::memcmp(note->magic, magic, sizeof magic) == 0;
  };
  if (!note || !(begins_with(kPluginMagic) || begins_with(kStoreMagic))) {
    return problem("has a netkit note in another format");
  }
  return {.note = note, .problem = {}};
}

// The first note of ours in a segment; empty when it holds none.
std::optional<NoteReading> find_note(Bytes segment) {
  while (const auto header = read_at<Elf64_Nhdr>(segment, 0)) {
    static_assert(sizeof(Elf64_Nhdr) == kNoteHeaderSize);
    const std::uint64_t name_end = kNoteHeaderSize + padded(header->n_namesz);
    const std::uint64_t end = name_end + padded(header->n_descsz);
    if (!holds(segment, 0, end)) return std::nullopt;
    const bool ours = header->n_type == kPluginNoteType && header->n_namesz == sizeof "netkit" &&
                      std::memcmp(segment.data() + kNoteHeaderSize, "netkit", sizeof "netkit") == 0;
    if (ours) return take_note(segment.subspan(name_end, header->n_descsz));
    segment = segment.subspan(end);
  }
  return std::nullopt;
}

// Unmaps on destruction.
class Mapping {
 public:
  Mapping(int fd, std::size_t size) : size_(size) {
    if (size == 0) return;
    address_ = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (address_ == MAP_FAILED) throw SystemError(errno, "cannot be read");
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (size_ > 0) ::munmap(address_, size_);
  }
  Bytes bytes() const { return {static_cast<const std::byte*>(address_), size_}; }

 private:
  void* address_ = nullptr;
  std::size_t size_;
};

}  // namespace

NoteReading read_plugin_note(Bytes file) {
  if (file.size() < SELFMAG || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0) {
    return problem("is not an ELF file");
  }
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  if (!header) return problem("is truncated: it ends within the ELF header");
  if (std::string wrong = header_problem(*header); !wrong.empty()) return problem(std::move(wrong));
  // They stand at the end of a file, so that they tell of any truncation; a file may have none.
  const std::uint64_t sections = std::uint64_t{header->e_shnum} * header->e_shentsize;
  if (header->e_shoff != 0 && !holds(file, header->e_shoff, sections)) {
    return problem("is truncated: it has " + std::to_string(file.size()) +
                   " bytes and section headers beyond them");
  }
  std::optional<NoteReading> found;
  for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(file, header->e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) return problem("is truncated: it ends within the program headers");
    const bool in_file = segment->p_type == PT_LOAD || segment->p_type == PT_NOTE;
    if (!in_file) continue;
    if (!holds(file, segment->p_offset, segment->p_filesz)) {
      return problem("is truncated: it has " + std::to_string(file.size()) +
                     " bytes and a segment beyond them");
    }
    if (segment->p_type != PT_NOTE || found) continue;
    found = find_note(file.subspan(segment->p_offset, segment->p_filesz));
  }
  if (found) return *found;
  return problem("has no netkit note; a plugin has NETKIT_PLUGIN in its source");
}

NoteReading read_plugin_note(const std::string& path) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    throw SystemError(errno, "cannot be opened", ExitStatus::fault);
  }
  if (!S_ISREG(status.st_mode)) return problem("is not a regular file");
  const Mapping mapping(fd.get(), static_cast<std::size_t>(status.st_size));
  return read_plugin_note(mapping.bytes());
}

}  // namespace netkit
