#include <echo/transports.hpp>

#include <netkit/util/error.hpp>

namespace netkit::echo {

Transports asked_transports(const Values& values) {
  const Transports asked{values.flag("udp"), values.flag("tcp")};
  if (!asked.udp || !asked.tcp) return asked;
  const Values::Origin udp = values.origin("udp");
  const Values::Origin tcp = values.origin("tcp");
  return {udp >= tcp, tcp >= udp};
}

bool speaks_tcp(const Values& values) {
  const Transports asked = asked_transports(values);
  if (asked.udp && asked.tcp) throw UsageError("--udp and --tcp exclude each other");
  return asked.tcp;
}

}  // namespace netkit::echo
