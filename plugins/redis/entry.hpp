// How an entry stands in Redis, for people and programs: netkit-store(7). Pure; any thread.
#pragma once

#include <optional>
#include <redis/connection.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/store/engine.hpp>

namespace netkit::redis {

// The fields of an entry as XADD takes them, without its number.
std::vector<store::Field> fields_of(const store::Entry& entry);

// An entry from its fields, `n` among them. Number 0: it has none, as those of other programs.
// Nothing where it has no text, or its number is none. `id` is Redis' own, the time of an entry
// that tells no other.
std::optional<store::Entry> entry_of(std::vector<store::Field> fields, std::string_view id);

}  // namespace netkit::redis
