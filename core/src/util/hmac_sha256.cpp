#include "util/hmac_sha256.hpp"

#include <new>

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

// Without a key. Looked up once, as OpenSSL takes longer for that than for a digest.
const EVP_MAC_CTX* algorithm() {
  static const EVP_MAC_CTX* const made = [] {
    EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    EVP_MAC_CTX* const context = hmac == nullptr ? nullptr : EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    if (context == nullptr || EVP_MAC_CTX_set_params(context, parameters) != 1) {
      throw Error(ExitStatus::fault, "OpenSSL has no HMAC-SHA-256");
    }
    return context;
  }();
  return made;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void HmacSha256::Free::operator()(EVP_MAC_CTX* context) const {
  EVP_MAC_CTX_free(context);
}

HmacSha256::HmacSha256(std::string_view key) : context_(EVP_MAC_CTX_dup(algorithm())) {
  if (!context_ || EVP_MAC_init(context_.get(), bytes_of(key), key.size(), nullptr) != 1) {
    throw std::bad_alloc();  // there is nothing else that it could lack
  }
}

HmacSha256::Digest HmacSha256::of(std::initializer_list<std::string_view> parts) {
  bool good = EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1;
  for (const std::string_view part : parts) {
    good = good && EVP_MAC_update(context_.get(), bytes_of(part), part.size()) == 1;
  }
  Digest digest{};
  std::size_t size = 0;
  if (!good || EVP_MAC_final(context_.get(), digest.data(), &size, digest.size()) != 1) {
    throw std::bad_alloc();
  }
  return digest;
}

}  // namespace netkit
