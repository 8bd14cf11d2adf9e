// What `netkit __complete WORDS…` answers.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct Candidate {
  std::string word;
  std::string help{};
};

enum class Directive : std::uint8_t {
  none,     // these are all
  file,     // complete file names
  folder,   // complete folder names
  nospace,  // put no space after the word: more follows
};

struct Completion {
  std::vector<Candidate> candidates{};
  Directive directive = Directive::none;
  bool address = false;  // an address may stand there: the caller may add known ones
};

// What completion needs to know about the program. `actions` loads the plugin; nothing if there is
// no such command or it cannot be loaded.
struct CompletionSource {
  std::function<std::vector<Candidate>()> commands{};
  std::function<std::optional<std::span<const ActionDef>>(const std::string& command)> actions{};
};

// Candidates for the last of `words` (what follows `netkit`; the last may be empty). They begin
// with it and are whole words: for `--to=f` also `--to=file:`. Opens nothing but the folders that
// `file:` names.
NETKIT_API Completion complete(std::span<const std::string> words, const CompletionSource& source);

// One line per candidate, `word<TAB>help`, then the directive: `:none`, `:file`, `:folder`,
// `:nospace`.
NETKIT_API std::string to_text(const Completion& completion);

}  // namespace netkit
