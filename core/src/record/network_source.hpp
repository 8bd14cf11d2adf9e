// `--from udp:ADDRESS`, `tcp:ADDRESS` and `unix:PATH`: records that others send.
#pragma once

#include "record/record_feed.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include <netkit/io/input.hpp>

namespace netkit {

// [loop] Listens, and never ends. A datagram is a record, and so is a line of a connection; a line
// longer than `max_line` is skipped, which is logged. Unfinished lines take 64 MiB together, or
// four times `max_line` where that is more; a writer beyond that is closed. Starts paused.
class NetworkSource : public RecordFeed {
 public:
  using OnRecord = std::function<void(std::string_view text)>;

  // Whether open() knows what `name` begins with.
  static bool is_one(std::string_view name);
  // `name` as it was typed. Throws UsageError, Error. `run` outlives it.
  static std::unique_ptr<NetworkSource> open(Run& run, std::string_view name, std::size_t max_line,
                                             OnRecord on_record);
};

}  // namespace netkit
