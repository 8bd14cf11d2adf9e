#include <algorithm>
#include <chrono>
#include <redis/entry.hpp>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include <netkit/store/packed.hpp>
#include <netkit/util/text.hpp>

namespace netkit::redis {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::int64_t kMillion = 1'000'000;
constexpr std::uint64_t kMostNumbers = std::uint64_t{1} << 53U;  // as scripts count

// `1795187549.123456`, seconds since 1970.
std::optional<WallTime> read_time(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos || text.size() - point != 7) return std::nullopt;
  const auto seconds = read_integer<std::uint32_t>(text.substr(0, point));
  const auto rest = read_integer<std::uint32_t>(text.substr(point + 1));
  if (!seconds || !rest) return std::nullopt;
  return WallTime(std::chrono::seconds(*seconds) + microseconds(*rest));
}

WallTime time_of_id(std::string_view id) {
  const auto since = read_integer<std::uint64_t>(id.substr(0, id.find('-'))).value_or(0);
  constexpr std::uint64_t kMost = INT64_MAX / kMillion;
  return WallTime(milliseconds(static_cast<std::int64_t>(std::min(since, kMost))));
}

std::string time_text(WallTime when) {
  const auto time = std::chrono::duration_cast<microseconds>(when.time_since_epoch()).count();
  return fmt::format("{}.{:06}", time / kMillion, time % kMillion);
}

// What not every entry has.
template <typename Visit>
void visit_others(const store::Entry& entry, Visit visit) {
  if (!entry.topic.empty()) visit("topic", entry.topic);
  for (const store::Field& field : entry.fields) visit(field.name, field.value);
}

std::size_t count_words(const store::Entry& entry) {
  return 2 * (entry.fields.size() + (entry.topic.empty() ? 0 : 1));
}

}  // namespace

std::vector<store::Field> fields_of(const store::Entry& entry) {
  std::vector<store::Field> fields{{"text", entry.text}};
  visit_others(entry, [&fields](std::string_view name, std::string_view value) {
    fields.push_back({std::string(name), std::string(value)});
  });
  fields.push_back({"time", time_text(entry.time)});
  fields.push_back({"writer", std::to_string(entry.writer)});
  fields.push_back({"sequence", std::to_string(entry.sequence)});
  return fields;
}

Batch::Batch(std::span<const store::Entry> entries, bool with_last) {
  own_.reserve(2 + 5 * entries.size());
  arguments_.reserve(2 + 8 * entries.size());
  const std::size_t words = entries.empty() ? 0 : count_words(entries.front());
  const bool all_alike = std::ranges::all_of(
      entries, [words](const store::Entry& entry) { return count_words(entry) == words; });
  arguments_.push_back(own(std::to_string(entries.size())));
  arguments_.push_back(all_alike ? own(std::to_string(words)) : std::string_view());
  for (const store::Entry& entry : entries) add(entry, !all_alike);
  if (with_last) add_last(entries);
}

std::string_view Batch::own(std::string text) {
  return own_.emplace_back(std::move(text));
}

void Batch::add(const store::Entry& entry, bool with_count) {
  if (with_count) arguments_.push_back(own(std::to_string(count_words(entry))));
  arguments_.insert(arguments_.end(),
                    {entry.text, own(time_text(entry.time)), own(std::to_string(entry.sequence))});
  visit_others(entry, [this](std::string_view name, std::string_view value) {
    arguments_.insert(arguments_.end(), {name, value});
  });
}

// From the newest on, as it is the one that counts.
void Batch::add_last(std::span<const store::Entry> entries) {
  std::unordered_set<std::string_view> topics;
  for (std::size_t i = entries.size(); i > 0; --i) {
    const store::Entry& entry = entries[i - 1];
    if (!topics.insert(entry.topic).second) continue;
    arguments_.push_back(own(std::to_string(i)));
    arguments_.push_back(entry.topic);
    arguments_.push_back(own(store::pack(fields_of(entry))));
  }
}

std::optional<store::Entry> entry_of(std::vector<store::Field> fields, std::string_view id) {
  store::Entry entry{.time = time_of_id(id)};
  bool has_text = false;
  for (store::Field& field : fields) {
    const auto number = [&field] { return read_integer<std::uint64_t>(field.value).value_or(0); };
    if (field.name == "n") {
      entry.number = number();
      if (entry.number == 0 || entry.number >= kMostNumbers) return std::nullopt;
    } else if (field.name == "text") {
      entry.text = std::move(field.value);
      has_text = true;
    } else if (field.name == "topic") {
      entry.topic = std::move(field.value);
    } else if (field.name == "time") {
      entry.time = read_time(field.value).value_or(entry.time);
    } else if (field.name == "writer") {
      entry.writer = number();
    } else if (field.name == "sequence") {
      entry.sequence = number();
    } else {
      entry.fields.push_back(std::move(field));
    }
  }
  if (!has_text) return std::nullopt;
  return entry;
}

}  // namespace netkit::redis
