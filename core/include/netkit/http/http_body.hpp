// The body of a request, while it arrives.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <netkit/net/held_bytes.hpp>

namespace netkit {

// The reason for refusing a request (503) whose body there is no room for.
inline constexpr std::string_view kNoRoomForBodies = "too many request bodies at once";

// Counts towards the server's limit until it is cleared or destroyed. [one thread]
class HttpBody {
 public:
  // As Holding has them.
  HttpBody(HeldBytes* all, const IpAddress& source) : holding_(all, source) {}

  // False: there is no room for them.
  bool append(std::string_view bytes) {
    if (!holding_.hold(text_.size() + bytes.size())) return false;
    text_ += bytes;
    return true;
  }
  // The memory as well: a connection that stays may never have another.
  void clear() {
    holding_.hold(0);
    text_ = {};
  }
  std::string_view text() const { return text_; }
  std::size_t size() const { return text_.size(); }

 private:
  Holding holding_;
  std::string text_;
};

}  // namespace netkit
