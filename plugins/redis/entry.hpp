// How an entry stands in Redis, for people and programs: netkit-store(7). Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/store/engine.hpp>

namespace netkit::redis {

// The fields of an entry, as kAppend writes them, without its number.
std::vector<store::Field> fields_of(const store::Entry& entry);

// What the script that appends takes of a batch: netkit::redis::kAppend. Refers to the entries.
class Batch {
 public:
  // `with_last`: the newest of each topic follows.
  Batch(std::span<const store::Entry> entries, bool with_last);
  std::span<const std::string_view> arguments() const { return arguments_; }

 private:
  void add(const store::Entry& entry, bool with_count);
  void add_last(std::span<const store::Entry> entries);
  std::string_view own(std::string text);

  std::vector<std::string> own_;  // has room from the begin: what refers to it must not move
  std::vector<std::string_view> arguments_;
};

// An entry from its fields, `n` among them. Number 0: it has none, as those of other programs.
// Nothing where it has no text, or its number is none. `id` is Redis' own, the time of an entry
// that tells no other.
std::optional<store::Entry> entry_of(std::vector<store::Field> fields, std::string_view id);

}  // namespace netkit::redis
