// `--from STORE/STREAM` and `--to STORE/STREAM`: records that come from a stream of a store, and go
// to one.
#pragma once

#include "record/formatter.hpp"
#include "record/record_feed.hpp"
#include "record/sink.hpp"

#include <memory>
#include <string>

#include <netkit/plugin/host.hpp>
#include <netkit/store/engine.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

// Null where `name` has no scheme. Throws UsageError, Error. `host` outlives it. [loop]
NETKIT_API std::unique_ptr<RecordFeed> open_store_feed(Host& host, const std::string& name,
                                                       RecordFeed::Give give);

struct StoreSinkContext {
  EventLoop& loop;
  const Clock& clock;
  Log& log;
  SinkFailure failed;
  store::MakeEngine make;
};
// The same of a sink.
std::unique_ptr<Sink> open_store_sink(const StoreSinkContext& context, const SinkSpec& spec,
                                      std::size_t number, std::unique_ptr<Formatter> formatter);

}  // namespace netkit
