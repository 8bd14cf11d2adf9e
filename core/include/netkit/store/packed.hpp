// Fields as one value that a person can read: `name:3:ann,text:5:hello,`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/store/engine.hpp>
#include <netkit/util/export.hpp>

namespace netkit::store {

// Any thread, like unpack().
NETKIT_API std::string pack(std::span<const Field> fields);
// Leaves out what cannot be read, and everything after it.
NETKIT_API std::vector<Field> unpack(std::string_view text);

}  // namespace netkit::store
