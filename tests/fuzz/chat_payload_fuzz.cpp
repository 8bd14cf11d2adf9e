// Payloads of peers: what can be read is written back as it was, up to what follows it.
#include <chat/payload.hpp>
#include <chat/typed_line.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string again;
  if (const auto message = netkit::chat::decode_from_room(input)) {
    encode(*message, again);
    if (!input.starts_with(again)) std::abort();
  }
  if (const auto request = netkit::chat::decode_request(input)) {
    encode(*request, again);
    if (netkit::chat::decode_request(again) != request) std::abort();
  }
  if (const auto hello = netkit::chat::decode_hello(input)) {
    encode(*hello, again);
    if (!input.starts_with(again)) std::abort();
  }
  if (const auto welcome = netkit::chat::decode_welcome(input)) {
    encode(*welcome, again);
    if (!input.starts_with(again)) std::abort();
  }
  netkit::chat::read_member_line(input);
  netkit::chat::read_peer_line(input, size % 2 == 0);
  return 0;
}
