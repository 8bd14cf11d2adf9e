// `--select`: parts of JSON texts, by JSON pointers (RFC 6901).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::sse {

// Reads a text once, up to where all is found, without building it up in memory and however deep it
// is. [one thread]
class JsonSelection {
 public:
  // Throws UsageError for what is no pointer: "" (all) or "/NAME/0/…", with ~0 for ~ and ~1 for /.
  explicit JsonSelection(const std::vector<std::string>& pointers);

  // The parts of `json`, joined by TAB: strings as they are, all else as it stands there. A part
  // that is missing is empty; none where all are, or where the text up to the last one is no JSON.
  // Valid until the next call. The data of the result is `json`'s, or this object's.
  struct Result {
    bool found = false;
    std::string_view text{};
    bool is_verbatim = false;  // it stands in `json` like that
  };
  Result apply(std::string_view json);

 private:
  class Walk;
  struct Token {
    std::string name;
    std::uint64_t index;  // that it may mean in an array; kNoIndex: none
  };
  static std::optional<std::vector<Token>> path_of(std::string_view pointer);
  struct Part {
    std::vector<Token> path;
    std::size_t length = 0;   // of the path
    std::size_t matched = 0;  // so many tokens lead to what is read at present
    bool found = false;
    bool is_verbatim = false;  // no escape is in it
    std::string_view text{};
    std::string decoded{};
  };

  struct Container {
    const char* begin;
    bool is_array;
    bool is_meant;           // a pointer leads to it, or into it
    bool is_begun = false;   // an item has come
    std::uint64_t next = 0;  // the index of the next element
  };

  std::vector<Part> parts_;
  std::string joined_;
  // Of the last walk, for their room.
  std::vector<Container> open_;
  std::string key_;
};

}  // namespace netkit::sse
