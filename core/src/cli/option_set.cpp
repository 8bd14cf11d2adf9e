#include "cli/option_set.hpp"

#include <algorithm>

namespace netkit {
namespace {

void inherit(OptionDef& own, const OptionDef& common) {
  if (own.kind == ValueKind::flag && common.kind != ValueKind::flag) {
    own.kind = common.kind;
    own.min = std::max(own.min, common.min);
    own.max = std::min(own.max, common.max);
  }
  if (own.letter == 0) own.letter = common.letter;
  if (own.help.empty()) own.help = common.help;
  if (own.value_name.empty()) own.value_name = common.value_name;
  if (own.choices.empty() && own.kind == common.kind) own.choices = common.choices;
  if (own.needs.empty()) own.needs = common.needs;
  if (own.excludes.empty()) own.excludes = common.excludes;
}

std::string_view usual_value_name(ValueKind kind) {
  switch (kind) {
    case ValueKind::flag:
      return {};
    case ValueKind::text:
      return "TEXT";
    case ValueKind::integer:
    case ValueKind::number:
      return "N";
    case ValueKind::percent:
      return "P";
    case ValueKind::duration:
      return "D";
    case ValueKind::optional_duration:
      return "[=D]";
    case ValueKind::size:
      return "SIZE";
    case ValueKind::rate:
      return "N/s";
    case ValueKind::address:
    case ValueKind::listen_address:
    case ValueKind::source_address:
    case ValueKind::stream:
    case ValueKind::listen_stream:
      return "ADDRESS";
    case ValueKind::addresses:
    case ValueKind::streams:
      return "ADDRESS,ADDRESS";
    case ValueKind::interface:
      return "IF";
    case ValueKind::ip:
      return "ADDR";
    case ValueKind::cidr:
      return "CIDR";
    case ValueKind::path:
      return "FILE";
    case ValueKind::template_text:
      return "T";
    case ValueKind::source:
      return "SOURCE";
    case ValueKind::sink:
      return "SINK";
    case ValueKind::command:
      return "CMD";
    case ValueKind::regex:
      return "REGEX";
    case ValueKind::url:
      return "URL";
    case ValueKind::login:
      return "NAME";
    case ValueKind::choice:
    case ValueKind::count_or_word:
      return {};
  }
  return {};
}

}  // namespace

const OptionDef* OptionSet::by_name(std::string_view name) const {
  const auto at = std::ranges::find(options_, name, &OptionDef::name);
  return at == options_.end() ? nullptr : &*at;
}

const OptionDef* OptionSet::by_letter(char letter) const {
  if (letter == 0) return nullptr;
  const auto at = std::ranges::find(options_, letter, &OptionDef::letter);
  return at == options_.end() ? nullptr : &*at;
}

OptionSet effective_options(const ActionDef& action) {
  OptionSet set;
  set.options_ = action.options;
  set.own_ = action.options.size();
  for (const CommonOption& common : common_options()) {
    if (common.group != kNoCommon && (action.common & common.group) == 0) continue;
    if ((action.common & kHelpOnly) != 0 && common.option.name != "help") continue;
    const auto own = std::ranges::find(set.options_, common.option.name, &OptionDef::name);
    if (own != set.options_.end()) {
      inherit(*own, common.option);
      continue;
    }
    set.options_.push_back(common.option);
    if (set.by_letter(common.option.letter) != &set.options_.back()) set.options_.back().letter = 0;
  }
  return set;
}

std::string value_name(const OptionDef& option) {
  if (!option.value_name.empty()) return std::string(option.value_name);
  std::string name(usual_value_name(option.kind));
  for (const std::string_view choice : option.choices) {
    if (!name.empty()) name += '|';
    name += choice;
  }
  if (option.kind == ValueKind::count_or_word) name += name.empty() ? "N" : "|N";
  return name;
}

}  // namespace netkit
