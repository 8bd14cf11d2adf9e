#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

#include <netkit/util/error.hpp>

namespace netkit {

SystemError::SystemError(int error_number, const std::string& what)
    : SystemError(error_number, what, exit_status_of(error_number)) {}

SystemError::SystemError(int error_number, const std::string& what, ExitStatus status)
    : Error(status, what + ": " + error_text(error_number)), error_number_(error_number) {}

ExitStatus exit_status_of(int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      return ExitStatus::permission;
    case EADDRINUSE:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ECONNABORTED:
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ENODEV:
    case ENOTCONN:
    case ETIMEDOUT:
      return ExitStatus::unreachable;
    case EBADF:
    case EDQUOT:
    case EEXIST:
    case EFBIG:
    case EIO:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOENT:
    case ENOSPC:
    case ENOTDIR:
    case ENXIO:
    case EPIPE:
    case EROFS:
    case ETXTBSY:
      return ExitStatus::output;
    default:
      return ExitStatus::fault;
  }
}

std::string error_text(int error_number) {
  std::string text = std::generic_category().message(error_number);
  // "No such file" becomes "no such file", an acronym such as "RPC ..." stays.
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

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
