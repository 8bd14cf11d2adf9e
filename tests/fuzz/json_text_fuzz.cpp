// Bytes as a JSON string, read back by RapidJSON: the same bytes where they are UTF-8, refused
// where they are not, always text that no terminal obeys.
#include "support/reference_utf8.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <rapidjson/reader.h>

#include <netkit/util/text.hpp>

namespace {

// Takes one string and nothing else.
struct OneString : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, OneString> {
  bool Default() { return false; }
  bool String(const char* text, unsigned length, bool /*copy*/) {
    value.assign(text, length);
    return true;
  }
  std::string value{};
};

std::string read_back(const std::string& json) {
  OneString string;
  rapidjson::Reader reader;
  rapidjson::StringStream stream(json.c_str());
  if (reader.Parse<rapidjson::kParseValidateEncodingFlag>(stream, string).IsError()) std::abort();
  return string.value;
}

void check(const std::string& json, std::string_view bytes, bool exact) {
  const std::string back = read_back(json);
  if (exact && back != bytes) std::abort();
  if (netkit::escaped_text(json) != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool utf8 = netkit::test::reference_is_utf8(bytes);
  std::string json;
  if (netkit::append_json_string(json, bytes) != utf8) std::abort();
  if (utf8) check(json, bytes, true);
  if (!utf8 && !json.empty()) std::abort();
  std::string lossy;
  netkit::append_json_lossy(lossy, bytes);
  check(lossy, bytes, utf8);
  return 0;
}
