// Payloads of peers: what can be read is written back as it was, up to what follows it.
#include <chat/payload.hpp>
#include <chat/typed_line.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netkit::chat;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::string again;
  if (const auto message = decode_from_room(input)) {
    encode(*message, again);
    if (!input.starts_with(again)) std::abort();
  }
  if (const auto request = decode_request(input)) {
    encode(*request, again);
    if (decode_request(again) != request) std::abort();
  }
  if (const auto hello = decode_hello(input)) {
    encode(*hello, again);
    if (!input.starts_with(again)) std::abort();
  }
  if (const auto welcome = decode_welcome(input)) {
    encode(*welcome, again);
    if (!input.starts_with(again)) std::abort();
  }
  read_member_line(input);
  read_peer_line(input, size % 2 == 0);
  return 0;
}
