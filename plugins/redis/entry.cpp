#include <algorithm>
#include <chrono>
#include <redis/entry.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/text.hpp>

namespace netkit::redis {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::int64_t kMillion = 1'000'000;

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

}  // namespace

std::vector<store::Field> fields_of(const store::Entry& entry) {
  std::vector<store::Field> fields{{"text", entry.text}};
  if (!entry.topic.empty()) fields.push_back({"topic", entry.topic});
  fields.insert(fields.end(), entry.fields.begin(), entry.fields.end());
  const auto time = std::chrono::duration_cast<microseconds>(entry.time.time_since_epoch()).count();
  fields.push_back({"time", fmt::format("{}.{:06}", time / kMillion, time % kMillion)});
  fields.push_back({"writer", std::to_string(entry.writer)});
  fields.push_back({"sequence", std::to_string(entry.sequence)});
  return fields;
}

std::optional<store::Entry> entry_of(std::vector<store::Field> fields, std::string_view id) {
  store::Entry entry{.time = time_of_id(id)};
  bool has_text = false;
  for (store::Field& field : fields) {
    const auto number = [&field] { return read_integer<std::uint64_t>(field.value).value_or(0); };
    if (field.name == "n") {
      entry.number = number();
      if (entry.number == 0) return std::nullopt;
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
