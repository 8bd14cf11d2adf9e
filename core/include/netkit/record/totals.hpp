// The numbers of a run: declared once per action, shown by the `end` record, the totals on stderr,
// the live line and `--metrics`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <netkit/util/error.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Several totals that are one metric with a label, e.g. netkit_dropped_total{reason="rate"}.
struct MetricDef {
  std::string_view name;   // without `netkit_` and `_total`
  std::string_view label;  // `reason`
  std::string_view help;   // one sentence without full stop, lower case
};

enum class TotalKind : std::uint8_t {
  counter,  // only grows while the action runs
  gauge,
};
inline constexpr TotalKind kGauge = TotalKind::gauge;

enum class TotalUnit : std::uint8_t { count, bytes, milliseconds, seconds, percent, per_second };

// One number. Its name is the key in the `end` record; the metric is `netkit_NAME_total` of a
// counter, `netkit_NAME` of a gauge, in seconds where the unit is milliseconds.
struct TotalDef {
  std::string_view name;  // snake_case
  std::string_view help;  // one sentence without full stop, lower case
  TotalKind kind = TotalKind::counter;
  TotalUnit unit = TotalUnit::count;
  const MetricDef* metric = nullptr;  // of static storage; null: a separate metric
  std::string_view label_value{};     // distinguishes it from others of `metric`: `rate`
};

// One of several counters that are one metric.
constexpr TotalDef labelled_total(const MetricDef& metric, std::string_view label_value,
                                  std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .metric = &metric, .label_value = label_value};
}

// What was not measured: null in the `end` record, left out elsewhere.
inline constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// The values, in the order they are added. Any thread, one at a time.
class NETKIT_API Totals {
 public:
  using Value = std::variant<std::uint64_t, double>;
  struct Entry {
    std::string_view name;
    Value value;
    const TotalDef* definition;  // null: nothing is declared
    bool measured() const {
      const auto* real = std::get_if<double>(&value);
      return real == nullptr || !std::isnan(*real);
    }
  };

  // Takes any name.
  Totals() = default;
  // Takes the names that `definitions` declares, which must outlive it.
  explicit Totals(std::span<const TotalDef> definitions)
      : definitions_(definitions), declared_(true) {}

  // Throws PluginError for a name that is not declared; `name` must outlive this.
  void add(std::string_view name, Value value) {
    const auto at = std::ranges::find(definitions_, name, &TotalDef::name);
    if (at != definitions_.end()) return add(*at, value);
    if (declared_) throw PluginError("the total '" + std::string(name) + "' is not declared");
    entries_.push_back({name, value, nullptr});
  }
  // A total with its own declaration, which outlives this.
  void add(const TotalDef& definition, Value value) {
    entries_.push_back({definition.name, value, &definition});
  }
  // Adds the values of another thread's totals to those of the same names.
  void merge(const Totals& other) {
    for (const Entry& more : other.entries_) {
      const auto own = std::ranges::find(entries_, more.name, &Entry::name);
      if (own == entries_.end()) {
        add(more.name, more.value);
      } else if (auto* whole = std::get_if<std::uint64_t>(&own->value)) {
        *whole += std::get<std::uint64_t>(more.value);
      } else {
        std::get<double>(own->value) += std::get<double>(more.value);
      }
    }
  }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::span<const TotalDef> definitions_;
  bool declared_ = false;
  std::vector<Entry> entries_;
};

}  // namespace netkit
