// A session in clear goes on at another address when who is there proves to have its key, which
// only who saw the handshake can have. Pure; any thread.
#pragma once

#include "datagram/wire.hpp"

#include <cstdint>

#include <netkit/util/export.hpp>

namespace netkit::datagram {

// The first 16 bytes of HMAC-SHA-256 under the session's key over `move`, session, token and count.
NETKIT_API MoveProof prove_move(const SessionKey& key, std::uint64_t session,
                                const MoveToken& token, std::uint32_t count);
// In a time that tells nothing of where it is wrong.
NETKIT_API bool proves(const Move& move, const SessionKey& key);

}  // namespace netkit::datagram
