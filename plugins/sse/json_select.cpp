#include <algorithm>
#include <cstring>
#include <optional>
#include <sse/json_scan.hpp>
#include <sse/json_select.hpp>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::uint64_t kNoIndex = UINT64_MAX;
constexpr std::size_t kKeptDepth = 1024;  // whose room stays for the next text

// What stands between two slashes of a pointer, as the name that is meant.
std::optional<std::string> name_of(std::string_view text) {
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '~';
    if (is_escape && (++i == text.size() || (text[i] != '0' && text[i] != '1'))) return {};
    name += !is_escape ? text[i] : text[i] == '0' ? '~' : '/';
  }
  return name;
}

// In an array `01` leads nowhere.
std::uint64_t index_of(std::string_view name) {
  if (name.size() > 1 && name.front() == '0') return kNoIndex;
  return read_integer<std::uint64_t>(name).value_or(kNoIndex);
}

}  // namespace

// One pass over a text. Where it stands is how many containers are open, and how far each pointer
// leads there; what no pointer leads to is only passed over.
class JsonSelection::Walk {
 public:
  Walk(JsonSelection& selection, std::string_view json)
      : parts_(selection.parts_),
        open_(selection.open_),
        key_(selection.key_),
        at_(json.data()),
        end_(json.data() + json.size()),
        missing_(selection.parts_.size()) {
    if (open_.capacity() > kKeptDepth) open_ = {};
    open_.clear();
    for (Part& part : parts_) part.found = false, part.matched = 0;
  }

  // Whether all parts are found, or all of the text is JSON.
  bool run() {
    at_ = json::skip_blanks(at_, end_);
    if (at_ == end_ || !value(true)) return false;
    while (missing_ != 0) {
      at_ = json::skip_blanks(at_, end_);
      if (depth_ == 0) return at_ == end_;
      if (at_ == end_ || !next()) return false;
    }
    return true;
  }

 private:
  // Inside of a container: an item of it, with the comma before it, or its end.
  bool next() {
    Container& inside = open_.back();
    if (*at_ == (inside.is_array ? ']' : '}')) return close();
    if (inside.is_begun && (*at_ != ',' || !has_next())) return false;
    inside.is_begun = true;
    return inside.is_array ? element(inside) : member(inside);
  }

  bool element(Container& inside) {
    const std::uint64_t index = inside.next++;
    return value(inside.is_meant &&
                 advance([index](const Token& token) { return token.index == index; }));
  }

  bool member(const Container& inside) {
    if (*at_ != '"') return false;
    json::String key;
    at_ = json::take_string(at_, end_, key);
    if (at_ == nullptr) return false;
    at_ = json::skip_blanks(at_, end_);
    if (at_ == end_ || *at_ != ':' || !has_next()) return false;
    if (!inside.is_meant) return value(false);
    const std::string_view name = key.value(key_);
    return value(advance([name](const Token& token) {
      return token.name.size() == name.size() &&
             std::memcmp(token.name.data(), name.data(), name.size()) == 0;
    }));
  }

  // Behind a comma or a colon.
  bool has_next() {
    at_ = json::skip_blanks(at_ + 1, end_);
    return at_ != end_;
  }

  // `is_meant`: a pointer leads to it, or into it.
  bool value(bool is_meant) {
    if (*at_ == '"') return string(is_meant);
    if (*at_ != '{' && *at_ != '[') return word(is_meant);
    open_.push_back({.begin = at_, .is_array = *at_ == '[', .is_meant = is_meant});
    ++depth_;
    ++at_;
    return true;
  }

  bool string(bool is_meant) {
    json::String string;
    at_ = json::take_string(at_, end_, string);
    if (at_ == nullptr) return false;
    if (!is_meant) return true;
    for (Part& part : parts_) {
      if (!leads_here(part)) continue;
      find(part, string.value(part.decoded));
      part.is_verbatim = !string.has_escapes;
    }
    return true;
  }

  bool word(bool is_meant) {
    const char* const begin = at_;
    const bool is_number = *at_ == '-' || (*at_ >= '0' && *at_ <= '9');
    at_ = is_number ? json::skip_number(at_, end_) : json::skip_name(at_, end_);
    if (at_ != nullptr && is_meant) find_here(begin);
    return at_ != nullptr;
  }

  bool close() {
    ++at_;
    const Container closed = open_.back();
    open_.pop_back();
    --depth_;
    if (!closed.is_meant) return true;
    for (Part& part : parts_) part.matched = std::min(part.matched, depth_);
    find_here(closed.begin);
    return true;
  }

  // One step on, below the containers that are open; whether it leads a pointer on.
  template <typename Leads>
  bool advance(Leads&& leads) {
    bool any = false;
    for (Part& part : parts_) {
      part.matched = std::min(part.matched, depth_ - 1);
      const bool is_on_way = !part.found && part.matched == depth_ - 1 && part.length >= depth_;
      if (!is_on_way || !leads(part.path[depth_ - 1])) continue;
      part.matched = depth_;
      any = true;
    }
    return any;
  }
  // Whether a pointer leads to the value that is inside of all open containers.
  bool leads_here(const Part& part) const {
    return !part.found && part.matched == depth_ && part.length == depth_;
  }
  void find_here(const char* begin) {
    for (Part& part : parts_) {
      if (leads_here(part)) find(part, {begin, static_cast<std::size_t>(at_ - begin)});
    }
  }
  void find(Part& part, std::string_view text) {
    part.found = part.is_verbatim = true;
    part.text = text;
    --missing_;
  }

  std::vector<Part>& parts_;
  std::vector<Container>& open_;
  std::string& key_;
  const char* at_;
  const char* end_;
  std::size_t missing_;
  std::size_t depth_ = 0;  // of open_
};

JsonSelection::JsonSelection(const std::vector<std::string>& pointers) {
  for (const std::string& text : pointers) {
    auto path = path_of(text);
    if (!path) {
      throw UsageError(fmt::format("--select: '{}' is not a JSON pointer (write /NAME/0/NAME)",
                                   escaped_text(text)));
    }
    Part& part = parts_.emplace_back();
    part.path = *std::move(path);
    part.length = part.path.size();
  }
}

std::optional<std::vector<JsonSelection::Token>> JsonSelection::path_of(std::string_view pointer) {
  std::vector<Token> path;
  while (!pointer.empty()) {
    if (pointer.front() != '/') return {};
    const std::string_view rest = pointer.substr(1);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    auto name = name_of(rest.substr(0, end));
    if (!name) return {};
    const std::uint64_t index = index_of(*name);
    path.push_back({*std::move(name), index});
    pointer = rest.substr(end);
  }
  return path;
}

JsonSelection::Result JsonSelection::apply(std::string_view json) {
  if (!Walk(*this, json).run() || std::ranges::none_of(parts_, &Part::found)) return {};
  const auto text_of = [](const Part& part) { return part.found ? part.text : std::string_view(); };
  if (parts_.size() == 1) return {true, text_of(parts_.front()), parts_.front().is_verbatim};
  joined_.clear();
  for (const Part& part : parts_) {
    if (&part != &parts_.front()) joined_ += '\t';
    joined_ += text_of(part);
  }
  return {true, joined_, false};
}

}  // namespace netkit::sse
