#include <openssl/rand.h>

#include <netkit/datagram/options.hpp>
#include <netkit/datagram/wire.hpp>
#include <netkit/util/error.hpp>

namespace netkit::datagram {

std::size_t Options::max_body() const {
  return max_datagram - kHeaderSize;
}

std::string_view to_string(LeftReason reason) {
  switch (reason) {
    case LeftReason::ended:
      return "ended";
    case LeftReason::bye:
      return "bye";
    case LeftReason::finished:
      return "finished";
    case LeftReason::lease:
      return "lease";
    case LeftReason::reset:
      return "reset";
    case LeftReason::timeout:
      return "timeout";
    case LeftReason::version:
      return "version";
  }
  return "";
}

Random system_random() {
  return [] {
    std::uint64_t number = 0;
    if (RAND_bytes(reinterpret_cast<unsigned char*>(&number), sizeof number) != 1) {
      throw Error(ExitStatus::fault, "the system gives no random numbers");
    }
    return number;
  };
}

}  // namespace netkit::datagram
