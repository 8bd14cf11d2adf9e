#include "datagram/dtls_records.hpp"

#include <cstring>
#include <new>

#include <openssl/evp.h>

#include <netkit/util/big_endian.hpp>

namespace netkit::datagram {
namespace {

using big_endian::put;

constexpr std::size_t kTag = 16;
constexpr std::size_t kAad = 13;
constexpr std::uint16_t kVersion12 = 0xFEFD;
constexpr std::uint64_t kEpoch = std::uint64_t{1} << 48;

// Looked up once: EVP_chacha20_poly1305() is looked up by its name with every use.
const EVP_CIPHER* algorithm() {
  static const EVP_CIPHER* const fetched = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  return fetched;
}

}  // namespace

void DtlsRecords::Free::operator()(EVP_CIPHER_CTX* context) const {
  EVP_CIPHER_CTX_free(context);
}

DtlsRecords::Cipher DtlsRecords::make_cipher(const DtlsSecret& secret, bool seals) {
  Cipher cipher(EVP_CIPHER_CTX_new());
  if (!cipher || EVP_CipherInit_ex(cipher.get(), algorithm(), nullptr, secret.key.data(),
                                   secret.iv.data(), seals ? 1 : 0) != 1) {
    throw std::bad_alloc();  // there is nothing else that it could lack
  }
  return cipher;
}

DtlsRecords::DtlsRecords(const DtlsSecret& write, const DtlsSecret& read, std::uint64_t first)
    : write_(make_cipher(write, true)), read_(make_cipher(read, false)), next_(first) {}

namespace {

// In place: `size` bytes of content and as many of its tag. The cipher has the IV, and makes the
// nonce of it and the first eight bytes of `aad` (epoch and number), as RFC 7905 has it.
bool crypt(EVP_CIPHER_CTX* cipher, char* aad, char* content, std::size_t size) {
  if (EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_TLS1_AAD, kAad, aad) <= 0) return false;
  auto* const bytes = reinterpret_cast<unsigned char*>(content);
  return EVP_Cipher(cipher, bytes, bytes, static_cast<unsigned>(size + kTag)) >= 0;
}

}  // namespace

void DtlsRecords::seal(RecordType type, std::string_view head, std::string_view body, char* out) {
  const std::size_t size = head.size() + body.size();
  const std::uint64_t number = kEpoch | next_++;
  out[0] = static_cast<char>(type);
  put(out + 1, kVersion12);
  put(out + 3, number);
  put(out + 11, static_cast<std::uint16_t>(size + kTag));
  char* const content = out + kRecordHeader;
  if (!head.empty()) std::memcpy(content, head.data(), head.size());
  if (!body.empty()) std::memcpy(content + head.size(), body.data(), body.size());
  char aad[kAad];
  put(aad, number);
  aad[8] = static_cast<char>(type);
  put(aad + 9, kVersion12);
  put(aad + 11, static_cast<std::uint16_t>(size));
  if (!crypt(write_.get(), aad, content, size)) throw std::bad_alloc();
}

bool DtlsRecords::open(const DtlsRecord& record, std::string& out) {
  const std::string_view fragment = record.fragment();
  if (record.epoch != 1 || fragment.size() < kTag || !is_new(record.number)) return false;
  if (forged_ >= kMostForged) return false;
  out.assign(fragment);
  char aad[kAad];
  put(aad, kEpoch | record.number);
  aad[8] = static_cast<char>(record.type);
  std::memcpy(aad + 9, record.whole.data() + 1, 2);
  put(aad + 11, static_cast<std::uint16_t>(fragment.size()));  // the cipher takes the tag off
  if (!crypt(read_.get(), aad, out.data(), fragment.size() - kTag)) {
    ++forged_;
    return false;
  }
  out.resize(fragment.size() - kTag);
  remember(record.number);
  return true;
}

bool DtlsRecords::is_new(std::uint64_t number) const {
  if (number >= end_) return true;
  if (end_ - number > kWindow) return false;
  const std::uint64_t bit = number % kWindow;
  return (seen_[bit / 64] >> (bit % 64) & 1) == 0;
}

void DtlsRecords::remember(std::uint64_t number) {
  if (number >= end_) {
    if (number - end_ >= kWindow) {
      seen_.fill(0);
    } else {
      for (std::uint64_t passed = end_; passed < number; ++passed) {
        const std::uint64_t bit = passed % kWindow;
        seen_[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
      }
    }
    end_ = number + 1;
  }
  const std::uint64_t bit = number % kWindow;
  seen_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

}  // namespace netkit::datagram
