// A record as the bytes that a sink gets.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <netkit/record/record.hpp>
#include <netkit/record/template.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class NETKIT_API Formatter {
 public:
  virtual ~Formatter() = default;
  // Appends the record to `out`; nothing where this form does not show it. Allocates nothing but
  // the growth of `out`. [one thread]
  virtual void format(const Record& record, std::string& out) = 0;
  // Where format() appends the payload of `record`, which has one, as it is and first: what it
  // appends after it. So a large one can be written from where it is. Allocates nothing. [one
  // thread]
  virtual std::optional<std::string_view> end_after_payload(const Record& /*record*/) { return {}; }
};

// `definitions` must outlive the formatter. Throws PluginError where a layout does not parse.
// A line per record, by its type's layout; a type that is not defined is `{text}`. Without escaping
// all bytes stay as they are, and each record is followed by a newline.
NETKIT_API std::unique_ptr<Formatter> make_text_formatter(std::span<const RecordDef> definitions,
                                                          bool colored,
                                                          Escaping escaping = Escaping::text);
// JSON Lines: "type", "time", "peer", the fields, the payload by its name or as "base64".
NETKIT_API std::unique_ptr<Formatter> make_json_formatter(std::span<const RecordDef> definitions);
// The payload's bytes.
NETKIT_API std::unique_ptr<Formatter> make_raw_formatter();

enum class TemplateUse : std::uint8_t {
  lines,            // escaped for terminals; a newline follows unless it ends with one
  unescaped_lines,  // a newline follows
  bytes,            // unchanged
};
// The template renders the main ones of `definitions` and what is not defined; `others`, the rest.
NETKIT_API std::unique_ptr<Formatter> make_template_formatter(
    Template source, TemplateUse use, std::span<const RecordDef> definitions,
    std::unique_ptr<Formatter> others);

}  // namespace netkit
