// is_valid_utf8() agrees with RFC 3629's grammar, at every offset.
#include "fuzz/fuzz_check.hpp"
#include "support/reference_utf8.hpp"

#include <cstdint>
#include <string>

#include <netkit/util/text.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool expected = netkit::test::reference_is_utf8(bytes);
  FUZZ_CHECK(netkit::is_valid_utf8(bytes) == expected);
  for (std::size_t before = 0; before < 17; ++before) {
    FUZZ_CHECK(netkit::is_valid_utf8(std::string(before, 'a') + std::string(bytes)) == expected);
  }
  return 0;
}
