// The bodies of requests, as they come.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <netkit/net/ip_address.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// What the bodies of all requests of a server may take together, in pieces of 4 KiB; of them one
// source has its share (SourceShares), so that there is room for others. [one thread]
class NETKIT_API HttpBodies {
 public:
  explicit HttpBodies(std::size_t bytes);

 private:
  friend class HttpBody;
  bool take(const IpAddress& source);
  void give_back(const IpAddress& source);

  std::size_t left_;  // pieces
  SourceShares shares_;
};

// What a request is refused with (503) that finds no room.
inline constexpr std::string_view kNoRoomForBodies = "too many requests with a body come at once";

// One of them, which counts until it is cleared or destroyed. [one thread]
class NETKIT_API HttpBody {
 public:
  // `all` outlives it; null: it counts nowhere.
  HttpBody(HttpBodies* all, const IpAddress& source) : all_(all), source_(source) {}
  ~HttpBody() { clear(); }
  HttpBody(const HttpBody&) = delete;
  HttpBody& operator=(const HttpBody&) = delete;

  bool append(std::string_view bytes);  // false: there is no room for them
  void clear();
  std::string_view text() const { return text_; }
  std::size_t size() const { return text_.size(); }

 private:
  HttpBodies* all_;
  IpAddress source_;
  std::string text_;
  std::size_t pieces_ = 0;
};

}  // namespace netkit
