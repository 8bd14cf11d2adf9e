// A record: one message with its time, its peer and its fields, on its way from a protocol to the
// sinks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>

namespace netkit {

using FieldValue = std::variant<bool, std::int64_t, std::uint64_t, double, std::string_view>;

// A field of one record. A field that a record lacks is simply not in its list: left out in JSON,
// empty in templates.
struct Field {
  std::string_view name;
  FieldValue value;
};

// Views only, so that making one allocates nothing; all must stay valid while it is given to
// Output::emit().
struct Record {
  std::string_view type;  // the name of one of the action's RecordDefs
  WallTime time{};
  const Endpoint* peer = nullptr;             // null: none
  std::span<const Field> fields{};            // in the order of the RecordDef
  std::optional<std::string_view> payload{};  // bytes as they came; none: the record has none
  // The payload is known to have bytes from 0x20 to 0x7E only, so that text output need not look
  // for what to escape.
  bool payload_is_printable = false;
  // Text form: nothing follows it, not even a newline; the next one continues where it ends.
  bool is_piece = false;
  // Text form: this replaces the RecordDef's layout, escaped, as one line, without an LF or CR LF
  // at its end; none: the layout. For lines that a layout cannot say; templates, JSON and raw do
  // not see it.
  std::optional<std::string_view> line{};
  // Text form: printed before it, unchanged.
  std::string_view prefix{};
  // Text form: it addresses the user. It rings the bell, and is bold where there is colour.
  bool is_call = false;
};

// What one type of record looks like: declared once per action; JSON output, text output, `netkit
// help` and the check of the man page's OUTPUT section come from it.
struct FieldDef {
  std::string_view name;
  std::string_view help;  // one line, with the unit
};

struct RecordDef {
  std::string_view type;  // the JSON "type"
  std::string_view help;  // one line: when there is one
  std::vector<FieldDef> fields{};
  // The text form, as a template over `{text} {peer} {ip} {port} {time} ...` and this type's own
  // fields, e.g. `{peer} {text}`; a newline follows it. Empty: not shown in text form.
  std::string_view layout = "{text}";
  std::string_view payload_name =
      "text";  // in JSON; where the payload is not UTF-8 it is "base64" instead
  bool newline_only_if_missing =
      false;  // text form: add the newline only where the payload does not end with one
  std::string_view colored_field{};  // with colour: this field in a separate colour per value
  // --template renders it, as it does the first of an action's records; the others keep their form.
  bool is_main = false;
};

// The index is that of an action's records.
constexpr bool is_main_record(const RecordDef& record, std::size_t index) {
  return index == 0 || record.is_main;
}

}  // namespace netkit
