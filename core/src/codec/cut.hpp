// What a cutter finds at the beginning of the bytes that it is given.
//
// A cutter is a class with
//
//     Cut cut(std::string_view data);         looks at the front of what is not taken yet
//     Cut last(std::string_view data);        what it makes of the rest, where nothing will follow;
//                                             afterwards it is as new
//     std::size_t stale() const;              how much of that is part of no unfinished frame
//     std::size_t memory() const;             bytes it holds
//
// `data` is never empty in cut(). After `more` it is called again with the same bytes and further
// ones, so that it may remember how far it looked; after all others with what follows the bytes it
// took. All it says depends on the bytes alone, never on the pieces they come in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/codec/check.hpp>
#include <netkit/codec/frame_error.hpp>

namespace netkit {

struct Cut {
  enum class Kind : std::uint8_t {
    more,   // not enough to tell
    frame,  // a frame
    fill,   // bytes that mean nothing
    skip,   // bytes outside frames: counted
    bad,    // a broken frame, or its beginning: counted
    fail,   // the stream cannot be cut any further
  };

  Kind kind = Kind::more;
  std::size_t size = 0;  // bytes taken; `more`: how many it takes at least, 0 if that is not known
  FrameError error{};    // bad, fail

  // Of a frame.
  std::size_t wire = 0;      // its bytes at the front
  std::string_view image{};  // what a check may cover, and the check
  std::size_t body = 0;      // where in the image the body begins
  std::uint64_t length = 0;
  // Where the cutter has judged a check that the codec's Check cannot: then the image has none.
  CheckResult check = CheckResult::none;

  static Cut more(std::size_t least = 0) { return {.kind = Kind::more, .size = least}; }
  static Cut fill(std::size_t size) { return {.kind = Kind::fill, .size = size}; }
  static Cut skip(std::size_t size) { return {.kind = Kind::skip, .size = size}; }
  static Cut bad(std::size_t size, FrameError error) {
    return {.kind = Kind::bad, .size = size, .error = error};
  }
  static Cut fail(FrameError error) { return {.kind = Kind::fail, .error = error}; }
  static Cut frame(std::size_t size, std::string_view image) {
    return {
        .kind = Kind::frame, .size = size, .wire = size, .image = image, .length = image.size()};
  }
};

// Where a cutter undoes stuffing.
class Scratch {
 public:
  // Room for `size` bytes, which stay until the next call of any function of it.
  char* room(std::size_t size) {
    if (bytes_.size() < size) bytes_.resize(size);
    return bytes_.data();
  }
  // Gives the memory back unless it is little.
  void trim() {
    if (bytes_.size() > kKept) std::string().swap(bytes_);
  }
  std::size_t memory() const { return bytes_.capacity(); }

 private:
  static constexpr std::size_t kKept = 4096;

  std::string bytes_;
};

}  // namespace netkit
