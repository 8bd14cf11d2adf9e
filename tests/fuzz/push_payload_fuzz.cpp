// What push says in CONNECT and to those who choose by topic: what can be read is written the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <push/payload.hpp>
#include <push/topic.hpp>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace push = netkit::push;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto request = push::decode_request(bytes)) {
    const std::string bytes_again = push::encode(*request);
    const auto again = push::decode_request(bytes_again);
    if (!again || again->topics != request->topics || again->name != request->name) std::abort();
    for (const std::string& topic : request->topics) {
      if (!push::why_not_a_filter(topic).empty()) std::abort();
    }
  }
  if (const auto record = push::decode_record(bytes)) {
    std::string bytes_again;
    push::encode(*record, bytes_again);
    const auto again = push::decode_record(bytes_again);
    if (!again || again->number != record->number || again->text != record->text) std::abort();
  }
  const std::size_t cut = bytes.find('\n');
  if (cut == std::string_view::npos) return 0;
  const std::string_view filter = bytes.substr(0, cut);
  const std::string_view topic = bytes.substr(cut + 1);
  if (push::why_not_a_filter(filter).empty() && push::why_not_a_topic(topic).empty()) {
    // One level more in both changes nothing.
    const bool is_one = push::matches(filter, topic);
    const std::string longer = "x/" + std::string(filter);
    if (is_one && !push::matches(longer, "x/" + std::string(topic))) std::abort();
  }
  return 0;
}
