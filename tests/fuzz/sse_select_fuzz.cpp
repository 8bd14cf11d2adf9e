// JsonSelection against RapidJSON's reader: a pointer, 0xFF, a JSON text.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <sse/json_select.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <rapidjson/reader.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace {

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

// By the words of RFC 6901: first each ~1, then each ~0.
std::vector<std::string> names_of(std::string_view pointer) {
  std::vector<std::string> names;
  for (const char c : pointer) {
    if (c == '/') {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  for (std::string& name : names) {
    for (const auto& [escape, meant] : {std::pair("~1", '/'), std::pair("~0", '~')}) {
      for (std::size_t at = 0; (at = name.find(escape, at)) != std::string::npos; ++at) {
        name.replace(at, 2, 1, meant);
      }
    }
  }
  return names;
}

// What a pointer leads to first: a string, or all that the reader says of what else it is.
class Finder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Finder> {
 public:
  explicit Finder(std::vector<std::string> names) : names_(std::move(names)) {}

  bool is_found = false, is_string = false;
  std::string value{};

  bool Null() { return scalar("null", false); }
  bool Bool(bool is_true) { return scalar(is_true ? "true" : "false", false); }
  bool RawNumber(const char* text, unsigned length, bool /*copy*/) {
    return scalar({text, length}, false);
  }
  bool String(const char* text, unsigned length, bool /*copy*/) {
    // Half a surrogate pair is no JSON here.
    return netkit::is_valid_utf8({text, length}) && scalar({text, length}, true);
  }
  bool Key(const char* text, unsigned length, bool /*copy*/) {
    if (!netkit::is_valid_utf8({text, length})) return false;
    open_.back().name.assign(text, length);
    if (inside_ != 0) say({text, length}, ':');
    return true;
  }
  bool StartObject() { return start(false); }
  bool StartArray() { return start(true); }
  bool EndObject(unsigned /*members*/) { return end('}'); }
  bool EndArray(unsigned /*elements*/) { return end(']'); }

 private:
  struct Container {
    bool is_array;
    std::size_t next = 0;  // element
    std::string name{};    // of the member that is read
  };

  // The reader's words are cut by their lengths, whatever is in them.
  void say(std::string_view text, char kind) {
    value += kind + std::to_string(text.size()) + '=';
    value += text;
  }

  void begin_value() {
    if (open_.empty() || !open_.back().is_array) return;
    open_.back().name = std::to_string(open_.back().next++);
  }
  bool is_meant() const {
    if (is_found || open_.size() != names_.size()) return false;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      if (open_[i].name != names_[i]) return false;
    }
    return true;
  }

  bool scalar(std::string_view text, bool string) {
    begin_value();
    if (inside_ != 0) {
      say(text, string ? '"' : 'w');
    } else if (is_meant()) {
      is_found = true;
      is_string = string;
      value = text;
    }
    return true;
  }
  bool start(bool is_array) {
    begin_value();
    if (inside_ != 0 || is_meant()) {
      is_found = true;
      ++inside_;
      value += is_array ? '[' : '{';
    }
    open_.push_back({is_array});
    return true;
  }
  bool end(char bracket) {
    open_.pop_back();
    if (inside_ == 0) return true;
    --inside_;
    value += bracket;
    return true;
  }

  std::vector<std::string> names_;
  std::vector<Container> open_{};
  std::size_t inside_ = 0;  // so many containers that are part of what was found
};

// Nothing where the text is no JSON.
std::optional<Finder> find(std::vector<std::string> names, const std::string& json) {
  Finder finder(std::move(names));
  rapidjson::Reader reader;
  rapidjson::StringStream stream(json.c_str());
  if (reader.Parse<kFlags>(stream, finder).IsError()) return std::nullopt;
  return finder;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\xFF');
  if (end == std::string_view::npos) return 0;
  const std::string pointer(input.substr(0, end));
  const std::string json(input.substr(end + 1));
  // For RapidJSON's reader a text ends there.
  if (json.find('\0') != std::string::npos) return 0;
  try {
    netkit::sse::JsonSelection selection({pointer});
    const auto result = selection.apply(json);
    const auto expected = find(names_of(pointer), json);
    if (!expected) return 0;
    if (result.found != expected->is_found) std::abort();
    if (!result.found) return 0;
    if (expected->is_string) {
      if (result.text != expected->value) std::abort();
      return 0;
    }
    // What else it is stands there so that it is read back as the same.
    const auto part = find({}, std::string(result.text));
    if (!part || part->is_string || part->value != expected->value) std::abort();
  } catch (const netkit::UsageError&) {
    return 0;
  }
  return 0;
}
