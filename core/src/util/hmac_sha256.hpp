// HMAC-SHA-256 (RFC 2104).
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <string_view>

#include <netkit/util/export.hpp>

typedef struct evp_mac_ctx_st EVP_MAC_CTX;

namespace netkit {

// [one thread] By one key, which is set up once. Throws std::bad_alloc, and Error where OpenSSL has
// no such algorithm.
class NETKIT_API HmacSha256 {
 public:
  using Digest = std::array<unsigned char, 32>;

  explicit HmacSha256(std::string_view key);
  Digest of(std::initializer_list<std::string_view> parts);  // of the parts, concatenated

 private:
  struct Free {
    void operator()(EVP_MAC_CTX* context) const;
  };
  std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

}  // namespace netkit
