// What the peers of a server make it hold together.
#pragma once

#include <cstddef>

#include <netkit/net/ip_address.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Memory for what has not wholly come yet, in pieces of 4 KiB; of it one source has its share
// (SourceShares), so that there is room for others. [one thread]
class NETKIT_API HeldBytes {
 public:
  explicit HeldBytes(std::size_t bytes);

 private:
  friend class Holding;
  bool take(const IpAddress& source);
  void give_back(const IpAddress& source);

  std::size_t left_;  // pieces
  SourceShares shares_;
};

// What one of them has of it, until it is destroyed. [one thread]
class NETKIT_API Holding {
 public:
  // `all` outlives it; null: there is room for everything.
  Holding(HeldBytes* all, const IpAddress& source) : all_(all), source_(source) {}
  ~Holding() { hold(0); }
  Holding(const Holding&) = delete;
  Holding& operator=(const Holding&) = delete;

  // It holds so many bytes from now on; the rest of a piece is free. False: there is no room for
  // them.
  bool hold(std::size_t bytes);

 private:
  HeldBytes* all_;
  IpAddress source_;
  std::size_t pieces_ = 0;
};

}  // namespace netkit
