// A stream in a SQLite file: its tables and transactions. Everything here blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/store/engine.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>

namespace netkit::sqlite {

// Why something failed that may work later, in half a sentence.
class Trouble : public Error {
 public:
  explicit Trouble(const std::string& why) : Error(ExitStatus::again, why) {}
};

// [one thread at a time]
class Database {
 public:
  // Opens the file, makes it (0600) where it is missing, and the stream in it. Throws Error: 77 for
  // a file that may not be written, 78 for one that is something else, 75 for one that is locked.
  Database(const std::string& path, const store::Settings& settings);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // The rest throws Trouble, and has changed nothing then.
  store::State state();
  // Entries from number `from` on, at most so many, in order.
  std::vector<store::Entry> read(std::uint64_t from, std::size_t limit);
  // In one transaction, which is on the disk when this returns; what its writer has appended before
  // is left out. The entries that were appended, with their numbers. A few more are kept than are
  // wanted, until trim().
  std::vector<store::Entry> append(std::vector<store::Entry> entries);
  void trim();
  std::vector<store::Entry> last_of_topics();

  // Who has each name then.
  std::vector<std::string> claim(std::span<const store::Claim> claims, Duration lease,
                                 WallTime now);
  void release(const std::string& name, const std::string& owner);
  std::vector<std::string> names(WallTime now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::sqlite
