// Fields of a record as text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include <netkit/record/record.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit {

inline const FieldValue* find_field(const Record& record, std::string_view name) {
  for (const Field& field : record.fields) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

inline void append_bytes(std::string& out, std::string_view bytes, Escaping escaping,
                         bool keep_lf) {
  if (escaping == Escaping::none) {
    out.append(bytes);
  } else {
    escape_text(out, bytes, keep_lf);
  }
}

// Without the LF or CR LF at its end, in text forms: text from nc and the like has one, which is
// meaningless in a record of several parts on one line.
inline std::string_view one_line(std::string_view text, Escaping escaping) {
  if (escaping == Escaping::none || !text.ends_with('\n')) return text;
  text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

inline void append_value(std::string& out, const FieldValue& value, Escaping escaping) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_bytes(out, *text, escaping, false);
  } else if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    append_unsigned(out, *number);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    append_signed(out, *integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    append_double(out, *real);
  } else {
    out.append(std::get<bool>(value) ? "true" : "false");
  }
}

inline void append_json_value(std::string& out, const FieldValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    append_json_lossy(out, *text);
  } else if (const auto* real = std::get_if<double>(&value)) {
    append_json_number(out, *real);
  } else {
    append_value(out, value, Escaping::none);
  }
}

}  // namespace netkit
