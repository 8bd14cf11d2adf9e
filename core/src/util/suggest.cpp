#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// Longer ones are not words of netkit; the limit keeps the rows on the stack.
constexpr std::size_t kMaxWord = 64;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(char a, char b) {
  return lower(a) == lower(b);
}

std::size_t tolerance(std::size_t length) {
  if (length <= 3) return 1;
  return length <= 7 ? 2 : 3;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  if (a.size() > kMaxWord || b.size() > kMaxWord) {
    return a == b ? 0 : std::max(a.size(), b.size());
  }
  using Row = std::array<std::size_t, kMaxWord + 1>;
  Row before{};
  Row above{};
  Row row{};
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = same(a[i - 1], b[j - 1]) ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      const bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

std::string_view suggest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  std::size_t least = tolerance(word.size()) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    // Words without a common letter are not similar.
    if (distance >= least || distance >= std::max(word.size(), candidate.size())) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view nearest = suggest(word, candidates);
  if (nearest.empty()) return {};
  return fmt::format("; did you mean '{}'?", nearest);
}

}  // namespace netkit
