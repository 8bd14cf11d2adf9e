// The memory that all peers of a server may make it hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <netkit/net/ip_address.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Memory for data that is still incomplete, in pieces of 4 KiB; one source may have only its share
// of it (SourceShares), so that there is room for others. [one thread]
class NETKIT_API HeldBytes {
 public:
  explicit HeldBytes(std::size_t bytes);

  // What all peers together may make a server hold of items, such as lines, of up to `largest`
  // bytes each: 64 MiB, or four of the largest if that is more.
  static constexpr std::size_t room_for(std::size_t largest) {
    return std::max(std::size_t{64} << 20U, std::min(largest, SIZE_MAX / 4) * 4);
  }

 private:
  friend class Holding;
  bool take(const IpAddress& source);
  void give_back(const IpAddress& source);

  std::size_t left_;  // pieces
  SourceShares shares_;
};

// One peer's part of it, given back on destruction. [one thread]
class NETKIT_API Holding {
 public:
  // `all` outlives it; null: there is room for everything.
  Holding(HeldBytes* all, const IpAddress& source) : all_(all), source_(source) {}
  ~Holding() { hold(0); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

  // Sets how many bytes it holds; the rest of a piece costs nothing. False if there is no room for
  // them.
  bool hold(std::size_t bytes);

 private:
  HeldBytes* all_;
  IpAddress source_;
  std::size_t pieces_ = 0;
};

}  // namespace netkit
