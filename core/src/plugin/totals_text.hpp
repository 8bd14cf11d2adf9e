// The totals of a run as text: for people, and for the JSON `end` record.
#pragma once

#include <string>
#include <string_view>

#include <netkit/record/totals.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Any thread, as all here. `received 5, sent 5, loss 0.25`; empty where there is none.
NETKIT_API std::string totals_line(const Totals& totals);

// The whole line with its newline: {"type":"end","ok":true,"received":5}; with "ok":false and
// "error" where `error` is not empty.
NETKIT_API std::string end_record(const Totals& totals, std::string_view error);

}  // namespace netkit
