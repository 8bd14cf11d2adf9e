// JSON text (RFC 8259), appended to a string without temporaries.
#pragma once

#include <string>
#include <string_view>

#include <netkit/record/record.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Appends `bytes` as a JSON string with its quotes. What a terminal would obey (C0, DEL, C1,
// bidirectional controls) is written as `\u` escapes, which mean the same. False, and nothing is
// appended, where the bytes are not UTF-8. Any thread, as all of these.
NETKIT_API bool append_json_string(std::string& out, std::string_view bytes);

// The same for what has to be a string: bytes that are not UTF-8 become U+FFFD.
NETKIT_API void append_json_lossy(std::string& out, std::string_view bytes);

// A number that JSON lacks (infinity, NaN) is null.
NETKIT_API void append_json_number(std::string& out, double value);
NETKIT_API void append_json_value(std::string& out, const FieldValue& value);

}  // namespace netkit
