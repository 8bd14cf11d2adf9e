// Replies of servers: what is taken for a probe's reply is that probe with another number, and
// nothing else; reading it reads no further than the reply.
#include "fuzz/fuzz_check.hpp"

#include <cstdint>
#include <echo/ping_statistics.hpp>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kId = 0xf5e1d2c3b4a59687u;
  const std::string reply(reinterpret_cast<const char*>(data), size);
  const std::string probe = netkit::echo::make_probe(kId, 42, size);
  FUZZ_CHECK(netkit::echo::read_probe(probe, probe) == 42u);
  if (const auto number = netkit::echo::read_probe(reply, probe)) {
    FUZZ_CHECK(reply == netkit::echo::make_probe(kId, *number, size));
  }
  return 0;
}
