// What a simulator answers, and what a client waits for.
#pragma once

#include <cstddef>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/record/template.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::frame {

// What a body is compared with. Immutable; any thread.
//
//     hex:0103??00   these bytes, and any byte for each ??, which are {1}, {2} …
//     /regex/        ECMAScript, anywhere in the body; {0} is what matches, {1} … its groups
//     anything else  a body that is just this text
class Pattern {
 public:
  // `option` is named in errors. Throws UsageError.
  static Pattern parse(std::string_view text, std::string_view option);

  // {0}, {1} …: none if `body` does not match. They view `body`. A regex looks at no more than
  // kMostSearched bytes of it.
  std::optional<std::vector<std::string_view>> match(std::string_view body) const;
  static constexpr std::size_t kMostSearched = 16384;

  std::size_t groups() const { return groups_; }  // besides {0}
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::optional<std::regex> regex_;
  std::string bytes_;      // without a regex
  std::vector<bool> any_;  // of each of them: it may be any
  std::size_t groups_ = 0;
};

// `PATTERN => ANSWER`. ANSWER is a template, or `hex:` and digits with {1} between them. Immutable.
class Rule {
 public:
  // Throws UsageError.
  static Rule parse(std::string_view text);

  // The body of the answer; none if `body` does not match.
  std::optional<std::string> answer(std::string_view body, WallTime now) const;

 private:
  Rule(Pattern pattern, Template answer)
      : pattern_(std::move(pattern)), answer_(std::move(answer)) {}

  Pattern pattern_;
  Template answer_;
};

}  // namespace netkit::frame
