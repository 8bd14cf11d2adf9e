// MESSAGE: whatever is taken becomes text and comes back the same; contents too.
#include <cstdint>
#include <cstdlib>
#include <frame/message.hpp>
#include <string>
#include <string_view>

#include <netkit/util/error.hpp>

namespace {

void check_content(std::string_view content, const netkit::CodecSpec& codec) {
  const auto no_files = [](const std::string&) -> std::string { std::abort(); };
  std::string text;
  netkit::frame::append_message(text, content, codec);
  if (netkit::frame::parse_message(text, codec, no_files) != content) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto load = [](const std::string& path) { return path; };
  for (const char* name : {"netkit", "u16"}) {
    const netkit::CodecSpec codec = netkit::CodecSpec::parse(name);
    if (!input.empty()) check_content(input, codec);
    try {
      const std::string content = netkit::frame::parse_message(input, codec, load);
      check_content(content, codec);
      if (const auto plain = netkit::frame::plain_message(input, codec)) {
        if (plain->id + std::string(plain->body) != content) std::abort();
      }
    } catch (const netkit::UsageError& error) {
      if (netkit::frame::plain_message(input, codec)) std::abort();
      for (const char c : std::string_view(error.what())) {
        if (c >= 0 && c < ' ') std::abort();
      }
    }
  }
  return 0;
}
