// --udp and --tcp, which contradict each other where there can be but one.
#pragma once

#include <netkit/cli/values.hpp>

namespace netkit::echo {

// What was asked for. Of two from different origins only the stronger holds, as with every option:
// --udp on the command line, and tcp in the configuration file, is udp.
struct Transports {
  bool udp = false;
  bool tcp = false;
};
Transports asked_transports(const Values& values);

// Whether a client speaks TCP; UDP is what it speaks otherwise. Throws UsageError for both.
bool speaks_tcp(const Values& values);

}  // namespace netkit::echo
