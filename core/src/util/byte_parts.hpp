// Bytes that lie in several places and go out one after the other, in one write.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>

namespace netkit {

class ByteParts {
 public:
  explicit ByteParts(std::string_view first, std::string_view second = {},
                     std::string_view third = {})
      : parts_{first, second, third} {}

  std::size_t size() const { return parts_[0].size() + parts_[1].size() + parts_[2].size(); }

  // `count` is at most size().
  void remove_prefix(std::size_t count) {
    for (std::string_view& part : parts_) {
      const std::size_t here = count < part.size() ? count : part.size();
      part.remove_prefix(here);
      count -= here;
    }
  }

  void append_to(std::string& out) const {
    for (const std::string_view part : parts_) out += part;
  }

  // All of them in one place: where they are if there is but one that is not empty, else in `room`.
  std::string_view in_one(std::string& room) const {
    for (const std::string_view part : parts_) {
      if (part.size() == size()) return part;
    }
    room.clear();
    append_to(room);
    return room;
  }

  // As writev(2).
  ssize_t write_to(int fd) const {
    const Vectors all = vectors();
    return ::writev(fd, all.data(), static_cast<int>(all.size()));
  }
  // As sendmsg(2), without waiting for room.
  ssize_t send_to(int fd) const {
    Vectors all = vectors();
    msghdr message{};
    message.msg_iov = all.data();
    message.msg_iovlen = all.size();
    return ::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

 private:
  using Vectors = std::array<iovec, 3>;

  Vectors vectors() const {
    Vectors all;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      all[i] = {const_cast<char*>(parts_[i].data()), parts_[i].size()};
    }
    return all;
  }

  std::array<std::string_view, 3> parts_;
};

}  // namespace netkit
