// Bodies that come in chunks (RFC 9112, section 7.1).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <netkit/util/text.hpp>

namespace netkit {

// Push style; any split of the input gives the same body. Extensions and trailers are skipped, and
// limited in length. Chunks and their sizes end with CR LF and nothing else: if a server in front
// accepted another ending, or none, a request could hide in the body. [one thread]
class HttpChunkDecoder {
 public:
  enum class State : std::uint8_t { more, done, failed };

  // Calls sink(std::string_view) with pieces of the body, none of them empty. Returns how much of
  // `input` was taken: what follows the body is left.
  template <typename Sink>
  std::size_t feed(std::string_view input, Sink&& sink) {
    std::size_t at = 0;
    while (at < input.size() && state_ == State::more) {
      if (part_ == Part::data && left_ > 0) {
        const std::string_view piece = input.substr(at, std::min<std::uint64_t>(left_, SIZE_MAX));
        left_ -= piece.size();
        at += piece.size();
        sink(piece);
      } else {
        take(input[at++]);
      }
    }
    return at;
  }
  State state() const { return state_; }

 private:
  static constexpr std::size_t kLongestLine = 4096;  // an extension's, and all trailers together
  enum class Part : std::uint8_t { size, extension, size_end, data, trailer };

  void take(char c) {
    switch (part_) {
      case Part::size:
        return take_size(c);
      case Part::extension:
        if (++line_ > kLongestLine || c == '\n') state_ = State::failed;
        if (c == '\r') part_ = Part::size_end;
        return;
      case Part::size_end:
        return c == '\n' ? begin_data() : fail();
      case Part::data:
        return take_data_end(c);
      case Part::trailer:
        if (++line_ > kLongestLine) state_ = State::failed;
        if (c == '\n' && is_blank_) state_ = State::done;
        if (c != '\r') is_blank_ = c == '\n';
        return;
    }
  }
  void take_size(char c) {
    const int digit = hex_value(c);
    if (digit >= 0 && digits_ < 16) {
      left_ = left_ << 4U | static_cast<unsigned>(digit);
      ++digits_;
    } else if (digits_ != 0 && c == '\r') {
      part_ = Part::size_end;
    } else if (digits_ != 0 && (c == ';' || c == ' ' || c == '\t')) {
      line_ = 0;
      part_ = Part::extension;
    } else {
      fail();
    }
  }
  void take_data_end(char c) {
    if (c != (has_cr_ ? '\n' : '\r')) return fail();
    has_cr_ = !has_cr_;
    if (has_cr_) return;
    part_ = Part::size;
    digits_ = 0;
    left_ = 0;
  }
  void fail() { state_ = State::failed; }
  void begin_data() {
    part_ = left_ == 0 ? Part::trailer : Part::data;
    line_ = 0;
    is_blank_ = true;
  }

  State state_ = State::more;
  Part part_ = Part::size;
  unsigned digits_ = 0;  // of the size
  std::uint64_t left_ = 0;
  std::size_t line_ = 0;
  bool is_blank_ = true;
  bool has_cr_ = false;  // of the end of a chunk
};

}  // namespace netkit
