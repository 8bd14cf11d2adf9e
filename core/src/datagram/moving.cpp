#include "datagram/moving.hpp"

#include "util/hmac_sha256.hpp"

#include <array>
#include <cstring>

#include <openssl/crypto.h>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {

MoveProof prove_move(const SessionKey& key, std::uint64_t session, const MoveToken& token,
                     std::uint32_t count) {
  std::array<char, 4 + 8 + kTokenSize + 4> input{'m', 'o', 'v', 'e'};
  big_endian::put(input.data() + 4, session);
  std::memcpy(input.data() + 12, token.data(), token.size());
  big_endian::put(input.data() + 12 + kTokenSize, count);
  const auto digest = HmacSha256({key.data(), key.size()}).of({{input.data(), input.size()}});
  MoveProof proof;
  std::memcpy(proof.data(), digest.data(), proof.size());
  return proof;
}

bool proves(const Move& move, const SessionKey& key) {
  const MoveProof expected = prove_move(key, move.session, move.token, move.count);
  return CRYPTO_memcmp(expected.data(), move.proof.data(), expected.size()) == 0;
}

}  // namespace netkit::datagram
