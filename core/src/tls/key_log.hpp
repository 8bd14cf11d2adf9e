// What SSLKEYLOGFILE asks for: the secrets of every session, for Wireshark and the like.
#pragma once

#include <openssl/ssl.h>

namespace netkit::tls {

// Where the environment names a file, has `context` append its sessions' secrets to it (0600). The
// file is opened now, before a sandbox hides it. Throws Error for one that cannot be written.
void log_keys(SSL_CTX* context);

}  // namespace netkit::tls
