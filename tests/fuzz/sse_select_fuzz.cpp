// JsonSelection against RapidJSON's documents: a pointer, 0xFF, a JSON text.
#include <cstdint>
#include <cstdlib>
#include <sse/json_select.hpp>
#include <string>
#include <string_view>

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace {

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

bool is_text(const rapidjson::Value& value) {
  return netkit::is_valid_utf8({value.GetString(), value.GetStringLength()});
}

// Whether a name stands twice in some object, of which the first counts here, and any there; or
// there is half a surrogate pair, which is no JSON here.
bool differs(const rapidjson::Value& value, int depth = 0) {
  if (depth > 50 || (value.IsString() && !is_text(value))) return true;
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) {
      if (differs(element, depth + 1)) return true;
    }
  }
  if (!value.IsObject()) return false;
  for (auto one = value.MemberBegin(); one != value.MemberEnd(); ++one) {
    if (!is_text(one->name) || value.FindMember(one->name) != one || differs(one->value, depth + 1))
      return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\xFF');
  if (end == std::string_view::npos) return 0;
  const std::string pointer(input.substr(0, end));
  // For RapidJSON's Pointer::Get() a name ends there.
  if (pointer.find('\0') != std::string::npos) return 0;
  const std::string json(input.substr(end + 1));
  // What it takes for a byte order mark, whole or not, it passes over.
  if (json.find_first_of("\xEF\xBB\xBF") == 0) return 0;
  try {
    netkit::sse::JsonSelection selection({pointer});
    const auto result = selection.apply(json);
    rapidjson::Document document;
    document.Parse<kFlags>(json.data(), json.size());
    if (document.HasParseError() || differs(document)) return 0;
    const rapidjson::Value* const value =
        rapidjson::Pointer(pointer.data(), pointer.size()).Get(document);
    if (result.found != (value != nullptr)) std::abort();
    if (value == nullptr) return 0;
    if (value->IsString()) {
      if (result.text != std::string_view(value->GetString(), value->GetStringLength())) {
        std::abort();
      }
      return 0;
    }
    // What else it is stands there so that it is read back as the same.
    rapidjson::Document part;
    part.Parse<kFlags>(result.text.data(), result.text.size());
    if (part.HasParseError() || part != *value) std::abort();
  } catch (const netkit::UsageError&) {
    return 0;
  }
  return 0;
}
