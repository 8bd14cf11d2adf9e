// The options of one action: its own, and the common ones that fit it, each of which is declared
// once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct CommonOption {
  std::uint32_t group;  // CommonOptions any of which brings it; kNoCommon: belongs to every action
  OptionDef option;
};

// In the order help shows them. Static storage. Any thread.
NETKIT_API std::span<const CommonOption> common_options();

// Views into the ActionDef, which must stay valid. Any thread, read only.
class NETKIT_API OptionSet {
 public:
  std::span<const OptionDef> all() const { return options_; }
  std::span<const OptionDef> own() const { return all().first(own_); }
  std::span<const OptionDef> common() const { return all().subspan(own_); }
  const OptionDef* by_name(std::string_view name) const;  // null: none
  const OptionDef* by_letter(char letter) const;          // null: none

 private:
  friend OptionSet effective_options(const ActionDef& action);
  std::vector<OptionDef> options_;
  std::size_t own_ = 0;
};

// The action's own options in its order, then the common ones in theirs. An own option with a
// common one's name replaces it and gets the common one's letter, kind, range, help, value name,
// choices, needs and exclusions where it has none itself; an own letter is taken from the common
// option that had it.
NETKIT_API OptionSet effective_options(const ActionDef& action);

// `D`, `FILE`, `auto|always|never`; empty for flags.
NETKIT_API std::string value_name(const OptionDef& option);

// Whether the value may be left out, as in `--web` for `--web=ADDRESS`.
inline bool may_be_empty(const OptionDef& option) {
  return std::ranges::find(option.choices, std::string_view()) != option.choices.end();
}

// Whether it takes a word of its own (flags and optional values do not).
inline bool needs_value(const OptionDef& option) {
  return option.kind != ValueKind::flag && option.kind != ValueKind::optional_duration &&
         !may_be_empty(option);
}

}  // namespace netkit
