#include <algorithm>
#include <sse/json_select.hpp>

#include <fmt/format.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/pointer.h>
#include <rapidjson/reader.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::uint64_t kNoIndex = UINT64_MAX;

}  // namespace

// What RapidJSON's iterative reader calls; of a container, before it takes its bracket. Where it
// stands is how many containers are open, and how far each pointer leads there.
class JsonSelection::Handler {
 public:
  using Ch = char;
  using SizeType = rapidjson::SizeType;

  Handler(std::vector<Part>& parts, std::string_view json, const rapidjson::MemoryStream& stream)
      : parts_(parts), json_(json), stream_(stream), missing_(parts.size()) {
    for (Part& part : parts_) part.found = false, part.matched = 0;
  }
  bool complete() const { return missing_ == 0; }

  bool Null() { return scalar("null"); }
  bool Bool(bool value) { return scalar(value ? "true" : "false"); }
  bool RawNumber(const char* text, SizeType size, bool /*copy*/) { return scalar({text, size}); }
  bool String(const char* text, SizeType size, bool /*copy*/) { return scalar({text, size}); }
  // Numbers come as text.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool Key(const char* text, SizeType size, bool /*copy*/) {
    const std::string_view name(text, size);
    advance([name](const Token& token) { return token.name == name; });
    return true;
  }
  bool StartObject() { return open(false); }
  bool EndObject(SizeType /*members*/) { return close(); }
  bool StartArray() { return open(true); }
  bool EndArray(SizeType /*elements*/) { return close(); }

 private:
  struct Container {
    bool is_array;
    std::uint64_t next = 0;  // the index of the next element
    std::size_t begin;       // in the text
  };

  // The next step below the containers that are open.
  template <typename Leads>
  void advance(Leads&& leads) {
    const std::size_t depth = open_.size();
    for (Part& part : parts_) {
      part.matched = std::min(part.matched, depth - 1);
      const bool is_on_way = part.matched == depth - 1 && part.path.size() >= depth;
      if (is_on_way && leads(part.path[depth - 1])) part.matched = depth;
    }
  }
  void begin_value() {
    if (open_.empty() || !open_.back().is_array) return;
    const std::uint64_t index = open_.back().next++;
    advance([index](const Token& token) { return token.index == index; });
  }
  // Whether a pointer leads to the value that is inside of all open containers.
  bool is_meant(const Part& part) const {
    return !part.found && part.matched == open_.size() && part.path.size() == open_.size();
  }
  bool scalar(std::string_view text) {
    begin_value();
    for (Part& part : parts_) {
      if (!is_meant(part)) continue;
      part.decoded = text;
      part.in_input = false;
      find(part);
    }
    return missing_ != 0;
  }
  bool open(bool is_array) {
    begin_value();
    open_.push_back({is_array, 0, stream_.Tell()});
    return true;
  }
  bool close() {
    const std::size_t begin = open_.back().begin;
    open_.pop_back();
    for (Part& part : parts_) {
      part.matched = std::min(part.matched, open_.size());
      if (!is_meant(part)) continue;
      part.text = json_.substr(begin, stream_.Tell() + 1 - begin);
      part.in_input = true;
      find(part);
    }
    return missing_ != 0;
  }
  void find(Part& part) {
    part.found = true;
    --missing_;
  }

  std::vector<Part>& parts_;
  std::string_view json_;
  const rapidjson::MemoryStream& stream_;
  std::size_t missing_;
  std::vector<Container> open_;
};

JsonSelection::JsonSelection(const std::vector<std::string>& pointers) {
  for (const std::string& text : pointers) {
    const rapidjson::Pointer pointer(text.data(), text.size());
    if (!pointer.IsValid() || text.starts_with('#')) {
      throw UsageError(fmt::format("--select: '{}' is not a JSON pointer (write /NAME/0/NAME)",
                                   escaped_text(text)));
    }
    Part& part = parts_.emplace_back();
    for (std::size_t i = 0; i < pointer.GetTokenCount(); ++i) {
      const auto& token = pointer.GetTokens()[i];
      const bool is_index = token.index != rapidjson::kPointerInvalidIndex;
      part.path.push_back({{token.name, token.length}, is_index ? token.index : kNoIndex});
    }
  }
}

JsonSelection::Result JsonSelection::apply(std::string_view json) {
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream stream(json.data(), json.size());
  Handler handler(parts_, json, stream);
  rapidjson::Reader reader;
  const bool is_whole = !reader.Parse<kFlags>(stream, handler).IsError();
  if (!is_whole && !handler.complete()) return {};
  if (std::ranges::none_of(parts_, &Part::found)) return {};
  const auto text_of = [](const Part& part) {
    if (!part.found) return std::string_view();
    return part.in_input ? part.text : std::string_view(part.decoded);
  };
  if (parts_.size() == 1) return {true, text_of(parts_.front())};
  joined_.clear();
  for (const Part& part : parts_) {
    if (&part != &parts_.front()) joined_ += '\t';
    joined_ += text_of(part);
  }
  return {true, joined_};
}

}  // namespace netkit::sse
