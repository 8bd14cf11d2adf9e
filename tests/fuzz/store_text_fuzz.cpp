// What a store's texts may hold: packed fields, and the names of streams on the command line.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/store/options.hpp>
#include <netkit/store/packed.hpp>
#include <netkit/util/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace store = netkit::store;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<store::Field> fields = store::unpack(bytes);
  if (store::unpack(store::pack(fields)) != fields) std::abort();
  try {
    const store::Place place = store::read_place(bytes, "--from");
    if (place.stream.empty() || store::scheme_of(place.url).empty()) std::abort();
  } catch (const netkit::UsageError&) {  // it is none
  }
  return 0;
}
