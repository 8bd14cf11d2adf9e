// Durations, sizes and rates: what is read is in range, and is read back as it was written.
#include "fuzz/fuzz_check.hpp"

#include <cmath>
#include <cstdint>
#include <string_view>

#include <netkit/util/quantity.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto duration = netkit::read_duration(text)) {
    FUZZ_CHECK(*duration >= netkit::Duration::zero());
    FUZZ_CHECK(*duration != netkit::kNever || text == "none");
    FUZZ_CHECK(netkit::read_duration(netkit::format_duration(*duration)) == duration);
  }
  if (const auto bytes = netkit::read_size(text)) {
    FUZZ_CHECK(*bytes <= INT64_MAX);
    FUZZ_CHECK(netkit::read_size(netkit::format_size(*bytes)) == bytes);
  }
  if (const auto rate = netkit::read_rate(text)) {
    FUZZ_CHECK(std::isfinite(*rate) && *rate > 0);
  }
  return 0;
}
