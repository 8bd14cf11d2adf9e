// What the end of a session, or the refusal of one, means to a client.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/datagram/options.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// What to report, whether it makes sense to try again, and the exit status of a run that does not.
// Any thread.
struct Loss {
  std::string why;
  bool again = true;
  ExitStatus status = ExitStatus::unreachable;
  bool predicate = false;  // `why` continues where the server's name ends
  // One sentence for the end of a run; `server` as the user wrote it.
  NETKIT_API std::string sentence(std::string_view server) const;
};
// Something answers that is not `what`: "a push server".
NETKIT_API Loss stranger(std::string_view what);
// What a server that requires keys answers to plain text (netkit-protocol(7)): no more bytes of it
// than the peer has sent. No text begins like this.
inline constexpr std::string_view kPlainRefusal = "\x15key needed (--psk-file)\n";
inline bool is_plain_refusal(std::string_view datagram) {
  return !datagram.empty() && kPlainRefusal.starts_with(datagram);
}
NETKIT_API Loss plain_refused();  // what that means to a client that has received nothing else
NETKIT_API Loss loss_of(LeftReason reason, std::string_view text);
NETKIT_API Loss rejection(std::uint16_t code, std::string_view text);  // of REJECT

}  // namespace netkit::datagram
