// What an entry of Redis may hold, whoever wrote it, and the URL of a store.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <redis/entry.hpp>
#include <redis/url.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/store/packed.hpp>
#include <netkit/util/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace store = netkit::store;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = bytes.find('\n');
  const std::string_view id = bytes.substr(0, cut);
  if (cut != std::string_view::npos) {
    if (auto entry = netkit::redis::entry_of(store::unpack(bytes.substr(cut + 1)), id)) {
      std::vector<store::Field> fields = netkit::redis::fields_of(*entry);
      fields.push_back({"n", std::to_string(entry->number)});
      const auto again = netkit::redis::entry_of(fields, id);
      if (entry->number != 0 && (!again || again->text != entry->text)) std::abort();
    }
  }
  try {
    const netkit::redis::Url url = netkit::redis::Url::parse(bytes);
    if (url.servers.empty() || url.prefix.empty()) std::abort();
  } catch (const netkit::UsageError&) {  // it is none
  }
  return 0;
}
