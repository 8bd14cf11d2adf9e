// Templates, as `--template`, `--reply` and `--message` take them (netkit(1), Templates), and as
// record layouts.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <netkit/record/record.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

enum class Escaping {
  none,  // bytes unchanged: to sockets
  text,  // what comes from fields is escaped for terminals; LF too, unless nothing is put before it
         // (see below)
};

// A parsed template. `{text} {name} {peer} {ip} {port} {seq} {time} {date} {ctime} {host} {event}
// {id}`; `\n \t \r \0 \xHH \\`; `{{` is a brace; `}` and `}}` are themselves. `{time}` is RFC 3339
// UTC, `{date}` `2026-11-20 15:12:29` local, `{ctime}` C ctime, local, no newline, all of the
// record's time; `{host}` this machine's name. Copying shares the parsed form. rendering is const
// and may happen on any thread.
class NETKIT_API Template {
 public:
  // Throws UsageError that shows the unknown field or escape, lists what there is, and names
  // `option` (`--reply`). `more_fields`: names that are known besides the common ones (a record
  // type's own fields).
  static Template parse(std::string_view source, std::string_view option,
                        std::span<const std::string_view> more_fields = {});

  // Appends the rendered record to `out`. A field that the record lacks is empty. Allocates nothing
  // but `out`'s growth. Escaping::text keeps LF in `{text}` only when nothing precedes it in the
  // template; elsewhere one LF or CR LF at its end is left off.
  void render(const Record& record, std::string& out, Escaping escaping) const;

  bool is_payload_only() const;  // exactly `{text}`: the fast path, bytes unchanged
  bool is_constant() const;      // no field at all
  const std::string& source() const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace netkit
