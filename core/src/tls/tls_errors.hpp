// OpenSSL's errors in words for people.
#pragma once

#include <string>

#include <openssl/ssl.h>

#include <netkit/net/tcp_stream.hpp>

namespace netkit::tls {

// For SSL_CTX_set_verify: keeps the names of a certificate that is for somebody else in the string
// that is the SSL's app data, because OpenSSL has dropped the certificate when take_reason() asks.
int remember_names(int verified, X509_STORE_CTX* context);

struct Reason {
  StreamFault fault = StreamFault::protocol;
  std::string text;
};

// Why the last call on `ssl` failed, and empties the thread's error queue. `wanted` is the name or
// address that the certificate should be for; empty on a server.
Reason take_reason(const SSL* ssl, const std::string& wanted);

// The oldest error of the thread's queue, without its codes and file names; empties the queue.
std::string take_library_reason();

}  // namespace netkit::tls
