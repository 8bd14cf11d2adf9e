// The roster as lines of the control channel.
#pragma once

#include <cstdint>
#include <optional>
#include <push/hub.hpp>
#include <string>
#include <string_view>

namespace netkit::push {

// `NAME ADDRESS` and a newline: a row of LIST. The name is escaped. Any thread, as all of these.
void append_list_row(std::string& out, const RosterRow& row);

// `ADDRESS plain|native AGE SENT LOST LAG NAME` and a newline: a row of STATUS; AGE in seconds with
// three decimals; the rest of the line is the name, escaped, a backslash too, so that it can be
// read again.
void append_status_row(std::string& out, const RosterRow& row);

// A row of STATUS read again.
struct StatusRow {
  std::string name;  // as it is
  std::string_view address;
  std::string_view kind;
  double age_s = 0;
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::uint64_t lag = 0;
};
std::optional<StatusRow> parse_status_row(std::string_view line);

}  // namespace netkit::push
