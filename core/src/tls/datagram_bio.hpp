// A BIO of datagrams in memory: OpenSSL reads the one at hand, and each of its writes is one.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>

namespace netkit::tls {

struct DatagramEnds {
  std::string_view in{};                    // empty: there is none now
  std::vector<std::string>* out = nullptr;  // null: what is written is lost
};

// A BIO over `ends`, which outlives it. Throws std::bad_alloc.
BIO* new_datagram_bio(DatagramEnds& ends);

}  // namespace netkit::tls
