// The sources that a command line names.
#pragma once

#include <memory>
#include <string>

#include <netkit/plugin/host.hpp>
#include <netkit/record/source.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct SourceDefaults {
  // The ticker when neither --from nor --every is given; kNever: none.
  Duration every = kNever;
  std::string message = "{date}";
  // Read stdin when nothing is given.
  bool stdin_when_none = false;
};

// Opens what host.values() names (`from`, `every`, `message`, `max-line`, each only if the action
// declares it). As Sources::open().
NETKIT_API std::unique_ptr<Sources> open_sources(Host& host, Sources::Handler& handler,
                                                 const SourceDefaults& defaults);

}  // namespace netkit
