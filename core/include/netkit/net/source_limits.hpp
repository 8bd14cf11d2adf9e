// Which source addresses a server serves (--allow, --deny), and how much of each (--rate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// An address is let in when no `deny` block holds it and, where there are `allow` blocks, one of
// them does. Read only after it is made. [any thread]
class NETKIT_API AccessList {
 public:
  AccessList() = default;
  // Blocks as typed. Throws UsageError for anything else: "--allow: 'x' is not an address block".
  AccessList(const std::vector<std::string>& allow, const std::vector<std::string>& deny);
  bool permits(const IpAddress& address) const {
    return (allow_.empty() && deny_.empty()) || permits_by_list(address);
  }

 private:
  bool permits_by_list(const IpAddress& address) const;
  std::vector<Cidr> allow_;
  std::vector<Cidr> deny_;
};

// A token bucket for each source address, in a table whose size is fixed: one look-up touches one
// row of eight entries, and a new source replaces the one in its row that has been silent the
// longest. IPv6 sources count by their /64, since a host has all of it to itself. Pure. [one
// thread]
class NETKIT_API SourceRateLimiter {
 public:
  struct Options {
    double per_second = 0;         // 0: everything passes
    double burst = 0;              // 0: one second's worth, at least one
    std::size_t sources = 16'384;  // remembered at once; rounded up to a power of two
    std::uint64_t seed = 0;        // random, so that nobody can choose its row
  };
  explicit SourceRateLimiter(const Options& options);
  // Whether one more event of `source` passes. Allocates the table with the first call (40 bytes a
  // source).
  bool allow(const IpAddress& source, TimePoint now);
  std::uint64_t refused() const { return refused_; }
  // Sources that lost their place while their bucket was not yet full again: raise `sources`.
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Entry {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    TimePoint at = TimePoint::min();  // min: free
    double tokens = 0;
  };
  Entry& find(std::uint64_t high, std::uint64_t low, TimePoint now);
  double refilled(const Entry& entry, TimePoint now) const;

  Options options_;
  std::size_t rows_ = 0;
  std::vector<Entry> entries_;
  std::uint64_t refused_ = 0;
  std::uint64_t forgotten_ = 0;
};

// One source takes at most three quarters of the places, so that there is room for others. This
// machine may take all: loopback, for the clients of a proxy, and the peers of a unix socket, whose
// address is unspecified. IPv6 sources count by their /64. Pure. [one thread]
class NETKIT_API SourceShares {
 public:
  explicit SourceShares(std::size_t places) : share_(places - places / 4) {}
  std::size_t share() const { return share_; }
  // Takes a place; false where the source has its share.
  bool take(const IpAddress& source);
  // The same regardless of its share: for a peer that has a place and has moved.
  void add(const IpAddress& source);
  void give_back(const IpAddress& source);  // one that it has taken or was added

 private:
  std::size_t share_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> taken_;
};

}  // namespace netkit
