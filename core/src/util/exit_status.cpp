#include <array>

#include <netkit/util/exit_status.hpp>

namespace netkit {

std::span<const ExitStatusInfo> exit_statuses() {
  static constexpr std::array kStatuses{
      ExitStatusInfo{ExitStatus::done, "done", "done"},
      ExitStatusInfo{ExitStatus::no, "no",
                     "ran, and the answer is no (no reply, threshold missed)"},
      ExitStatusInfo{ExitStatus::usage, "usage", "wrong usage"},
      ExitStatusInfo{ExitStatus::name, "name", "name not resolved"},
      ExitStatusInfo{ExitStatus::unreachable, "unreachable",
                     "refused, unreachable, closed by the peer; on a server: address in use, no "
                     "such interface"},
      ExitStatusInfo{ExitStatus::fault, "fault", "internal or plugin fault"},
      ExitStatusInfo{ExitStatus::output, "output", "output or file error"},
      ExitStatusInfo{ExitStatus::again, "again", "try again (evicted, full)"},
      ExitStatusInfo{ExitStatus::protocol, "protocol", "protocol error"},
      ExitStatusInfo{ExitStatus::permission, "permission", "permission, authentication"},
      ExitStatusInfo{ExitStatus::config, "config", "configuration"},
      ExitStatusInfo{ExitStatus::timeout, "timeout", "--timeout passed"},
  };
  return kStatuses;
}

}  // namespace netkit
