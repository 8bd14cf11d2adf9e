#include "plugin/plugin_file.hpp"

#include <cstring>
#include <elf.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

#if defined(__aarch64__)
constexpr Elf64_Half kOwn = EM_AARCH64, kOther = EM_X86_64;
#else
constexpr Elf64_Half kOwn = EM_X86_64, kOther = EM_AARCH64;
#endif

// The smallest shared object that passes: a header, a PT_LOAD over all, a PT_NOTE, the note.
class ElfNoteTest : public testing::Test {
 protected:
  ElfNoteTest() : bytes_(kSize) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_machine = kOwn;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = 2;
    put(0, header);
    Elf64_Phdr load{};
    load.p_type = PT_LOAD;
    load.p_filesz = kSize;
    put(sizeof header, load);
    Elf64_Phdr segment{};
    segment.p_type = PT_NOTE;
    segment.p_offset = kNote;
    segment.p_filesz = sizeof(PluginNoteSection);
    put(sizeof header + sizeof load, segment);
    PluginNoteSection section{7, sizeof(PluginNote), kPluginNoteType, "netkit", {}};
    std::memcpy(section.note.magic, kPluginMagic, sizeof kPluginMagic);
    section.note.abi = 7;
    std::strcpy(section.note.name, "echo");
    put(kNote, section);
  }

  template <typename T>
  void put(std::size_t offset, const T& value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof value);
  }
  void set(std::size_t offset, unsigned char value) { bytes_[offset] = std::byte{value}; }
  NoteReading read() { return read_plugin_note(bytes_); }
  std::string problem() { return read().problem; }

  static constexpr std::size_t kNote = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr);
  static constexpr std::size_t kSize = kNote + sizeof(PluginNoteSection);
  std::vector<std::byte> bytes_;
};

TEST_F(ElfNoteTest, IsFound) {
  const NoteReading reading = read();
  ASSERT_TRUE(reading.note) << reading.problem;
  EXPECT_EQ(reading.note->abi, 7U);
  EXPECT_EQ(note_text(reading.note->name), "echo");
}

TEST_F(ElfNoteTest, EveryTruncationIsRefused) {
  const std::vector<std::byte> whole = bytes_;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const NoteReading reading = read_plugin_note(std::span(whole).first(size));
    EXPECT_FALSE(reading.note) << size;
    EXPECT_THAT(reading.problem, HasSubstr(size < SELFMAG ? "is not an ELF file" : "is truncated"));
  }
}

TEST_F(ElfNoteTest, NoByteMakesItReadBeyondTheFile) {
  for (std::size_t offset = 0; offset < bytes_.size(); ++offset) {
    const std::byte before = bytes_[offset];
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      set(offset, static_cast<unsigned char>(value));
      const NoteReading reading = read();
      EXPECT_NE(reading.note.has_value(), !reading.problem.empty());
    }
    bytes_[offset] = before;
  }
}

TEST_F(ElfNoteTest, TextIsNotElf) {
  std::memcpy(bytes_.data(), "#!/b", 4);
  EXPECT_EQ(problem(), "is not an ELF file");
}

TEST_F(ElfNoteTest, AnotherMachineIsNamed) {
  put(offsetof(Elf64_Ehdr, e_machine), kOther);
  EXPECT_THAT(problem(), AnyOf("is built for aarch64; expected x86-64",
                               "is built for x86-64; expected aarch64"));
  put(offsetof(Elf64_Ehdr, e_machine), Elf64_Half{EM_386});
  set(EI_CLASS, ELFCLASS32);
  EXPECT_THAT(problem(), HasSubstr("another word size"));
}

TEST_F(ElfNoteTest, AnExecutableIsNoSharedObject) {
  put(offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_EXEC});
  EXPECT_EQ(problem(), "is an ELF file, but not a shared object");
}

TEST_F(ElfNoteTest, AnotherOwnersNoteIsPassedOver) {
  std::memcpy(bytes_.data() + kNote + 12, "NETKIT", 6);
  EXPECT_THAT(problem(), HasSubstr("has no netkit note"));
}

TEST_F(ElfNoteTest, AnotherMagicIsAnotherForm) {
  set(kNote + 20, 'X');
  EXPECT_EQ(problem(), "has a netkit note in another format");
}

TEST_F(ElfNoteTest, NamesWithoutANulEndAtTheFieldsEnd) {
  const char field[4] = {'a', 'b', 'c', 'd'};
  EXPECT_EQ(note_text(field), "abcd");
}

TEST(ElfNoteFile, SaysWhatIsThereInstead) {
  EXPECT_EQ(read_plugin_note(std::string("/dev/null")).problem, "is not a regular file");
  EXPECT_THROW(read_plugin_note(std::string("/nonexistent")), SystemError);
  EXPECT_THAT(read_plugin_note(std::string("/proc/self/exe")).problem,
              HasSubstr("has no netkit note"));
}

}  // namespace
}  // namespace netkit
