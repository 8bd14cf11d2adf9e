#include "tls/key_refusals.hpp"
#include "tls/tls_stream.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/error.hpp>

namespace netkit::tls {
namespace {

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* const bytes = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  if (size == 4) {
    std::uint32_t network_order = 0;
    std::copy_n(bytes, 4, reinterpret_cast<unsigned char*>(&network_order));
    return IpAddress::v4(network_order).to_string();
  }
  std::array<std::uint8_t, 16> v6{};
  if (size != 16) return {};
  std::copy_n(bytes, v6.size(), v6.begin());
  return IpAddress::v6(v6).to_string();
}

// The names and addresses that a certificate is for, at most a few of them.
std::string names_of(const X509* certificate) {
  constexpr int kMostNames = 5;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  std::string text;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count; ++i) {
    if (i == kMostNames) return text + ", ...";
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    std::string one;
    if (name->type == GEN_DNS) {
      const auto* const data =
          reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      one.assign(data, static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      one = "the address " + address_text(name->d.iPAddress);
    }
    if (!one.empty()) text += (text.empty() ? "" : ", ") + one;
  }
  return text;
}

bool is_mismatch(long result) {
  return result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH;
}

std::string verify_reason(const SSL* ssl, long result, const std::string& wanted) {
  if (is_mismatch(result)) {
    const auto* const names = static_cast<const std::string*>(SSL_get_app_data(ssl));
    return "the certificate is for " + (names->empty() ? "no name" : *names) + ", not for " +
           (result == X509_V_ERR_IP_ADDRESS_MISMATCH ? "the address " : "") + wanted;
  }
  return X509_verify_cert_error_string(result);
}

bool is_no_tls(int reason) {
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
         reason == SSL_R_HTTPS_PROXY_REQUEST || reason == SSL_R_RECORD_TOO_SMALL ||
         reason == SSL_R_PACKET_LENGTH_TOO_LONG;
}

std::string reason_of(unsigned long code) {
  const int reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SYS) return error_text(reason);
  const char* const known = ERR_reason_error_string(code);
  std::string text = known != nullptr ? known : "error " + std::to_string(code);
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return text;
  if (reason >= SSL_AD_REASON_OFFSET) {  // an alert of the peer, "tlsv13 alert unknown ca"
    constexpr std::string_view kAlert = " alert ";
    const std::size_t found = text.find(kAlert);
    return "the peer refused: " +
           (found == std::string::npos ? text : text.substr(found + kAlert.size()));
  }
  if (is_no_tls(reason)) return "the peer does not speak TLS";
  switch (reason) {
    case SSL_R_NO_SHARED_CIPHER:
      return "the peer offers no secure cipher";
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return "the peer does not offer TLS 1.2 or later";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "the client sent no certificate";
    default:
      return text;
  }
}

// Of the peer's alerts (RFC 8446, section 6.2) those that are about this side's certificate.
StreamFault fault_of(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return StreamFault::protocol;
  switch (ERR_GET_REASON(code)) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_AD_REASON_OFFSET + SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_REASON_OFFSET + SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_REASON_OFFSET + SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_REASON_OFFSET + SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_REASON_OFFSET + SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_CA:
    case SSL_AD_REASON_OFFSET + SSL_AD_ACCESS_DENIED:
    case SSL_AD_REASON_OFFSET + SSL_AD_CERTIFICATE_REQUIRED:
      return StreamFault::certificate;
    default:
      return StreamFault::protocol;
  }
}

const PskSide* psk_of(const SSL* ssl) {
  return static_cast<const PskSide*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

// The peer of a server with keys begins with anything but TLS.
bool needs_key(const SSL* ssl, int reason) {
  return psk_of(ssl)->keys && SSL_get_state(ssl) == TLS_ST_BEFORE && is_no_tls(reason);
}

// What a handshake with pre-shared keys failed at, where that is about the keys.
std::string psk_reason(const SSL* ssl, int reason) {
  const PskSide& side = *psk_of(ssl);
  if (SSL_is_init_finished(ssl) != 0) return {};
  if (needs_key(ssl, reason)) return key_refusal::in_clear();
  const std::string& name =
      side.own ? side.own->name : *static_cast<const std::string*>(SSL_get_app_data(ssl));
  switch (reason) {
    case SSL_R_PSK_IDENTITY_NOT_FOUND:
      return key_refusal::unknown_identity(name);
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_BAD_RECORD_TYPE:
      return key_refusal::wrong_key(name);
    case SSL_R_NO_SHARED_CIPHER:
      return std::string(key_refusal::kNoCipher);
    case SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_PSK_IDENTITY:
      return key_refusal::unknown_to_server(name);
    case SSL_AD_REASON_OFFSET + SSL_AD_BAD_RECORD_MAC:
    case SSL_AD_REASON_OFFSET + SSL_AD_DECRYPT_ERROR:
      return key_refusal::other_key_at_server(name);
    case SSL_AD_REASON_OFFSET + SSL_AD_HANDSHAKE_FAILURE:
      return std::string(key_refusal::kServerHasNoKeys);
    default:
      return {};
  }
}

}  // namespace

unsigned put_key(const PskKey* key, unsigned char* out, unsigned room) {
  if (key == nullptr || key->bytes().size() > room) return 0;
  std::memcpy(out, key->bytes().data(), key->bytes().size());
  return static_cast<unsigned>(key->bytes().size());
}

unsigned find_client_key(SSL* ssl, const char* identity, unsigned char* out, unsigned room) {
  std::string& name = *static_cast<std::string*>(SSL_get_app_data(ssl));
  name = identity == nullptr ? "" : identity;
  return put_key(psk_of(ssl)->keys->find(name), out, room);
}

unsigned give_own_key(SSL* ssl, const char* /*hint*/, char* identity, unsigned identity_room,
                      unsigned char* out, unsigned room) {
  const PskIdentity& own = *psk_of(ssl)->own;
  if (own.name.size() + 1 > identity_room) return 0;
  std::memcpy(identity, own.name.c_str(), own.name.size() + 1);
  return put_key(&own.key, out, room);
}

int remember_names(int verified, X509_STORE_CTX* context) {
  if (verified == 0 && is_mismatch(X509_STORE_CTX_get_error(context))) {
    const auto* const ssl = static_cast<const SSL*>(
        X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
    *static_cast<std::string*>(SSL_get_app_data(ssl)) = names_of(X509_STORE_CTX_get0_cert(context));
  }
  return verified;
}

std::string take_library_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  return code == 0 ? "unknown error" : reason_of(code);
}

Reason take_reason(const SSL* ssl, const std::string& wanted) {
  const unsigned long code = ERR_peek_error();
  // The one that ended it; before it may be what the verification stumbled over.
  const unsigned long last = ERR_peek_last_error();
  const long verified = SSL_get_verify_result(ssl);
  // Without the check of the error a failed verification that --insecure passed over would be
  // blamed.
  if (verified != X509_V_OK && ERR_GET_LIB(last) == ERR_LIB_SSL &&
      ERR_GET_REASON(last) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    ERR_clear_error();
    return {StreamFault::certificate, verify_reason(ssl, verified, wanted)};
  }
  if (psk_of(ssl) != nullptr && ERR_GET_LIB(code) == ERR_LIB_SSL) {
    const int reason = ERR_GET_REASON(code);
    std::string why = psk_reason(ssl, reason);
    if (!why.empty()) {
      ERR_clear_error();
      return {StreamFault::key, std::move(why), needs_key(ssl, reason)};
    }
  }
  const StreamFault fault = fault_of(code);
  return {fault, take_library_reason()};
}

}  // namespace netkit::tls
