#include "datagram/moving.hpp"

#include <array>
#include <cstring>
#include <new>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {

MoveProof prove_move(const SessionKey& key, std::uint64_t session, const MoveToken& token,
                     std::uint32_t count) {
  std::array<char, 4 + 8 + kTokenSize + 4> input{'m', 'o', 'v', 'e'};
  big_endian::put(input.data() + 4, session);
  std::memcpy(input.data() + 12, token.data(), token.size());
  big_endian::put(input.data() + 12 + kTokenSize, count);
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data(),
           &size) == nullptr) {
    throw std::bad_alloc();  // there is nothing else that it could lack
  }
  MoveProof proof;
  std::memcpy(proof.data(), digest.data(), proof.size());
  return proof;
}

bool proves(const Move& move, const SessionKey& key) {
  const MoveProof expected = prove_move(key, move.session, move.token, move.count);
  return CRYPTO_memcmp(expected.data(), move.proof.data(), expected.size()) == 0;
}

}  // namespace netkit::datagram
