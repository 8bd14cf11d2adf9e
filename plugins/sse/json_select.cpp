#include <algorithm>
#include <sse/json_scan.hpp>
#include <sse/json_select.hpp>

#include <fmt/format.h>
#include <rapidjson/pointer.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

constexpr std::uint64_t kNoIndex = UINT64_MAX;
constexpr std::size_t kKeptDepth = 1024;  // whose room stays for the next text

}  // namespace

// One pass over a text. Where it stands is how many containers are open, and how far each pointer
// leads there.
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
    State state = State::value;
    while (missing_ != 0) {
      at_ = json::skip_blanks(at_, end_);
      if (at_ == end_) return state == State::after && open_.empty();
      if (!step(state)) return false;
    }
    return true;
  }

 private:
  // What may come next; `first` and `element`: the first of an object or an array, or its end.
  enum class State { value, first, element, after };

  bool step(State& state) {
    switch (state) {
      case State::after:
        return after(state);
      case State::first:
        if (*at_ == '}') return close(state);
        return key(state);
      case State::element:
        if (*at_ == ']') return close(state);
        return value(state);
      case State::value:
        return value(state);
    }
    return false;
  }

  bool after(State& state) {
    if (open_.empty()) return false;
    const bool is_array = open_.back().is_array;
    if (*at_ != ',') return *at_ == (is_array ? ']' : '}') && close(state);
    return has_next() && (is_array ? value(state) : key(state));
  }

  bool key(State& state) {
    if (*at_ != '"') return false;
    json::String string;
    at_ = json::take_string(at_, end_, string);
    if (at_ == nullptr) return false;
    at_ = json::skip_blanks(at_, end_);
    if (at_ == end_ || *at_ != ':' || !has_next()) return false;
    advance([&](const Token& token) { return token.name == string.value(key_); });
    return value(state);
  }

  // Behind a comma or a colon.
  bool has_next() {
    at_ = json::skip_blanks(at_ + 1, end_);
    return at_ != end_;
  }

  bool value(State& state) {
    if (!open_.empty() && open_.back().is_array) {
      const std::uint64_t index = open_.back().next++;
      advance([index](const Token& token) { return token.index == index; });
    }
    if (*at_ == '{' || *at_ == '[') {
      open_.push_back({*at_ == '[', 0, at_});
      state = *at_ == '[' ? State::element : State::first;
      ++at_;
      return true;
    }
    state = State::after;
    return *at_ == '"' ? string() : word();
  }

  bool string() {
    json::String string;
    at_ = json::take_string(at_, end_, string);
    if (at_ == nullptr) return false;
    for (Part& part : parts_) {
      if (!is_meant(part)) continue;
      find(part, string.value(part.decoded));
      part.is_verbatim = !string.has_escapes;
    }
    return true;
  }

  bool word() {
    const char* const begin = at_;
    const bool is_number = *at_ == '-' || (*at_ >= '0' && *at_ <= '9');
    at_ = is_number ? json::skip_number(at_, end_) : json::skip_name(at_, end_);
    if (at_ == nullptr) return false;
    for (Part& part : parts_) {
      if (is_meant(part)) find(part, {begin, static_cast<std::size_t>(at_ - begin)});
    }
    return true;
  }

  bool close(State& state) {
    ++at_;
    const char* const begin = open_.back().begin;
    open_.pop_back();
    state = State::after;
    for (Part& part : parts_) {
      part.matched = std::min(part.matched, open_.size());
      if (is_meant(part)) find(part, {begin, static_cast<std::size_t>(at_ - begin)});
    }
    return true;
  }

  // The next step below the containers that are open.
  template <typename Leads>
  void advance(Leads&& leads) {
    const std::size_t depth = open_.size();
    for (Part& part : parts_) {
      part.matched = std::min(part.matched, depth - 1);
      const bool is_on_way = !part.found && part.matched == depth - 1 && part.path.size() >= depth;
      if (is_on_way && leads(part.path[depth - 1])) part.matched = depth;
    }
  }
  // Whether a pointer leads to the value that is inside of all open containers.
  bool is_meant(const Part& part) const {
    return !part.found && part.matched == open_.size() && part.path.size() == open_.size();
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
