// Replies of servers: finding a probe reads no further than the reply, and a probe that is in it is
// found whatever stands around it.
#include <cstdint>
#include <cstdlib>
#include <echo/ping_statistics.hpp>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kId = 0xf5e1d2c3b4a59687u;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  netkit::echo::find_probe(input, kId);
  const std::string before = std::string(input) + "|";
  // An id at the end of the input makes a probe with whatever follows.
  if (netkit::echo::find_probe(before + "1234", kId)) return 0;
  const std::string probe = netkit::echo::make_probe(kId, 42, size % 100);
  if (netkit::echo::find_probe(before + probe + before, kId) != 42u) std::abort();
  return 0;
}
