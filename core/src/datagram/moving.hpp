// A session in clear text continues at another address once the peer there proves that it has the
// session's key, which only somebody who saw the handshake can have. Pure; any thread.
#pragma once

#include "datagram/wire.hpp"

#include <cstdint>

#include <netkit/util/export.hpp>

namespace netkit::datagram {

// The first 16 bytes of HMAC-SHA-256 under the session's key over `move`, session, token and count.
NETKIT_API MoveProof prove_move(const SessionKey& key, std::uint64_t session,
                                const MoveToken& token, std::uint32_t count);
// In constant time.
NETKIT_API bool proves(const Move& move, const SessionKey& key);

}  // namespace netkit::datagram
