// A template (up to the first LF) and a payload (after it): parsing never fails but by UsageError;
// what is rendered for a terminal has only the control bytes that the template itself has.
#include "support/record_builder.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <netkit/record/template.hpp>
#include <netkit/util/error.hpp>

namespace {

std::ptrdiff_t controls(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n') || byte == 0x7F;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view source = input.substr(0, end);
  const std::string_view payload = input.substr(std::min(end + 1, input.size()));
  const auto message = netkit::test::RecordBuilder()
                           .payload(payload)
                           .peer("127.0.0.1:9")
                           .field("name", payload)
                           .field("seq", std::uint64_t{1});
  const auto empty = netkit::test::RecordBuilder();
  try {
    const auto parsed = netkit::Template::parse(source, "--template");
    std::string shown;
    std::string bare;
    std::string bytes;
    parsed.render(message.record(), shown, netkit::Escaping::text);
    parsed.render(empty.record(), bare, netkit::Escaping::text);
    parsed.render(message.record(), bytes, netkit::Escaping::none);
    if (controls(shown) != controls(bare)) std::abort();
    if (parsed.is_payload_only() && bytes != payload) std::abort();
    if (parsed.is_constant() && bytes != shown) std::abort();
    if (parsed.source() != source) std::abort();
  } catch (const netkit::UsageError&) {
  }
  return 0;
}
