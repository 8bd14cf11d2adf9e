#include "util/wide.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include <netkit/net/source_limits.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::vector<Cidr> parse_all(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<Cidr> blocks;
  for (const std::string& text : texts) {
    const auto block = Cidr::parse(text);
    if (!block) {
      throw UsageError(
          fmt::format("{}: '{}' is not an address block (write 10.0.0.0/8, fe80::/10 or 192.0.2.1)",
                      option, text));
    }
    blocks.push_back(*block);
  }
  return blocks;
}

bool holds(const std::vector<Cidr>& blocks, const IpAddress& address) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

// An IPv4 address, or the /64 of an IPv6 one, with its zone.
std::pair<std::uint64_t, std::uint64_t> source_key(const IpAddress& source) {
  std::uint64_t high = 0;
  std::memcpy(&high, source.bytes().data(), source.is_v4() ? 4 : 8);
  return {high, std::uint64_t{source.scope_id()} << 1 | (source.is_v6() ? 1 : 0)};
}

// Peers of a unix socket have no address: `::`.
bool is_of_this_machine(const IpAddress& source) {
  return source.is_loopback() || (source.is_v6() && source.is_unspecified());
}

constexpr std::size_t kRowSize = 8;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return fold_product(a ^ 0xA0761D6478BD642FULL, b ^ 0xE7037ED1A0B428DBULL);
}

}  // namespace

AccessList::AccessList(const std::vector<std::string>& allow, const std::vector<std::string>& deny)
    : allow_(parse_all(allow, "--allow")), deny_(parse_all(deny, "--deny")) {}

bool AccessList::permits_by_list(const IpAddress& address) const {
  return !holds(deny_, address) && (allow_.empty() || holds(allow_, address));
}

SourceRateLimiter::SourceRateLimiter(const Options& options) : options_(options) {
  if (options_.burst <= 0) options_.burst = options_.per_second;
  options_.burst = std::max(options_.burst, 1.0);
  rows_ = std::bit_ceil(std::max(options_.sources, kRowSize)) / kRowSize;
}

double SourceRateLimiter::refilled(const Entry& entry, TimePoint now) const {
  return std::min(
      options_.burst,
      entry.tokens + std::chrono::duration<double>(now - entry.at).count() * options_.per_second);
}

SourceRateLimiter::Entry& SourceRateLimiter::find(std::uint64_t high, std::uint64_t low,
                                                  TimePoint now) {
  if (entries_.empty()) entries_.resize(rows_ * kRowSize);
  const std::uint64_t hash = mix(mix(high, options_.seed), low);
  Entry* const row = &entries_[(hash & (rows_ - 1)) * kRowSize];
  Entry* oldest = row;
  for (Entry* entry = row; entry != row + kRowSize; ++entry) {
    if (entry->at != TimePoint::min() && entry->high == high && entry->low == low) return *entry;
    if (entry->at < oldest->at) oldest = entry;
  }
  if (oldest->at != TimePoint::min() && refilled(*oldest, now) < options_.burst) ++forgotten_;
  *oldest = {high, low, now, options_.burst};
  return *oldest;
}

bool SourceRateLimiter::allow(const IpAddress& source, TimePoint now) {
  if (options_.per_second <= 0) return true;
  const auto [high, low] = source_key(source);
  Entry& entry = find(high, low, now);
  entry.tokens = refilled(entry, now);
  entry.at = now;
  if (entry.tokens < 1) {
    ++refused_;
    return false;
  }
  entry.tokens -= 1;
  return true;
}

bool SourceShares::take(const IpAddress& source) {
  if (is_of_this_machine(source)) return true;
  std::size_t& taken = taken_[source_key(source)];
  if (taken >= share_) return false;
  ++taken;
  return true;
}

void SourceShares::add(const IpAddress& source) {
  if (!is_of_this_machine(source)) ++taken_[source_key(source)];
}

void SourceShares::give_back(const IpAddress& source) {
  const auto at = taken_.find(source_key(source));
  if (at != taken_.end() && --at->second == 0) taken_.erase(at);
}

}  // namespace netkit
