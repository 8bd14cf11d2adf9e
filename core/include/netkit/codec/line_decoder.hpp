// Lines out of a byte stream: standard input, files, control channels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace netkit {

// One line without its end (LF or CR LF). `text` is a view that is valid until the sink returns.
struct Line {
  std::string_view text;
  // The line is longer than the limit: `text` is its beginning, as long as the limit, and the rest
  // is discarded up to its end. The sink decides whether that ends the channel or only the line.
  bool too_long = false;
  bool terminated = true;  // false for a last line without LF, and for one that is too long
};

// Splits bytes into lines, whatever the pieces they come in: feeding at any split gives the same
// lines. A line that lies whole in one piece is handed out as a view into it; only one that spans
// pieces is copied, into a buffer that never exceeds the limit by more than one byte. A CR counts
// as part of the end only directly before LF; NUL and all other bytes are data. Not thread-safe;
// nothing throws but std::bad_alloc.
//
// Sink: `void(const Line&)`, or `bool(const Line&)` where false means "no more for now". The sink
// must not feed or destroy the decoder.
class LineDecoder {
 public:
  // `max_line`: the most bytes a line may have, its end not counted. At least 1.
  explicit LineDecoder(std::size_t max_line)
      : max_line_(std::clamp<std::size_t>(max_line, 1, SIZE_MAX / 2)) {}

  // Calls the sink for every line that `data` completes. Returns how many bytes of `data` were
  // taken: all of them, unless the sink returned false; then the caller keeps what follows and
  // feeds it again when it wants more lines.
  template <typename Sink>
  std::size_t feed(std::string_view data, Sink&& sink);

  // The input has ended: hands out the last line if it has no LF. Afterwards the decoder is as new,
  // but for the counters.
  template <typename Sink>
  void finish(Sink&& sink);

  std::size_t max_line() const { return max_line_; }
  std::size_t pending() const { return partial_.size(); }  // bytes of an unfinished line
  std::uint64_t lines() const { return lines_; }           // handed out so far, too long ones too
  std::uint64_t too_long() const { return too_long_; }     // how many of them were too long

 private:
  // A buffer above this is given back after its line, so that an idle channel stays small.
  static constexpr std::size_t kKeptCapacity = 1024;

  template <typename Sink>
  bool deliver(std::string_view text, bool terminated, Sink& sink);
  template <typename Sink>
  bool take_rest(std::string_view rest, Sink& sink);
  template <typename Sink>
  bool take_end(std::string_view rest, std::size_t& at, Sink& sink);
  void clear_partial();
  bool over_limit(std::string_view unfinished) const;

  std::string partial_;
  std::size_t max_line_;
  std::uint64_t lines_ = 0;
  std::uint64_t too_long_ = 0;
  bool skipping_ = false;  // inside the rest of a line that was too long
};

// True if no end of line that may follow makes `unfinished` fit the limit.
inline bool LineDecoder::over_limit(std::string_view unfinished) const {
  if (unfinished.size() <= max_line_) return false;
  return unfinished.size() > max_line_ + 1 || unfinished.back() != '\r';
}

inline void LineDecoder::clear_partial() {
  if (partial_.capacity() > kKeptCapacity) {
    std::string().swap(partial_);
  } else {
    partial_.clear();
  }
}

template <typename Sink>
[[gnu::always_inline]] inline bool LineDecoder::deliver(std::string_view text, bool terminated,
                                                        Sink& sink) {
  ++lines_;
  const bool too_long = text.size() > max_line_;
  if (too_long) ++too_long_;
  const Line line{text.substr(0, max_line_), too_long, terminated && !too_long};
  if constexpr (std::is_void_v<decltype(sink(line))>) {
    sink(line);
    return true;
  } else {
    return sink(line);
  }
}

// `rest` holds no LF: it is kept, or found too long. Returns what the sink said.
template <typename Sink>
bool LineDecoder::take_rest(std::string_view rest, Sink& sink) {
  if (skipping_ || rest.empty()) return true;
  const std::size_t room = max_line_ + 2 - partial_.size();  // no more than tells "too long"
  if (partial_.empty() && rest.size() >= room) {
    skipping_ = true;
    return deliver(rest.substr(0, room), false, sink);
  }
  partial_.append(rest.substr(0, room));
  if (!over_limit(partial_)) return true;
  skipping_ = true;
  const bool more = deliver(partial_, false, sink);
  clear_partial();
  return more;
}

template <typename Sink>
std::size_t LineDecoder::feed(std::string_view data, Sink&& sink) {
  std::size_t at = 0;
  while (at < data.size()) {
    const char* from = data.data() + at;
    const auto* end = static_cast<const char*>(std::memchr(from, '\n', data.size() - at));
    if (end == nullptr) {
      take_rest(data.substr(at), sink);
      break;
    }
    std::string_view text(from, static_cast<std::size_t>(end - from));
    if (skipping_ || !partial_.empty()) [[unlikely]] {
      if (!take_end(text, at, sink)) return at;
      continue;
    }
    at += text.size() + 1;
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (!deliver(text, true, sink)) return at;
  }
  return data.size();
}

// The rest, up to its LF, of a line that began in an earlier piece; `at` is moved behind what is
// taken. Returns what the sink said.
template <typename Sink>
[[gnu::noinline]] bool LineDecoder::take_end(std::string_view rest, std::size_t& at, Sink& sink) {
  at += rest.size();
  // What cannot fit is known to be too long without copying it all.
  if (!partial_.empty() && !take_rest(rest, sink)) return false;
  ++at;
  if (skipping_) {
    skipping_ = false;
    return true;
  }
  std::string_view text = partial_;
  if (text.ends_with('\r')) text.remove_suffix(1);
  const bool more = deliver(text, true, sink);
  clear_partial();
  return more;
}

template <typename Sink>
void LineDecoder::finish(Sink&& sink) {
  if (!partial_.empty()) deliver(partial_, false, sink);
  clear_partial();
  skipping_ = false;
}

}  // namespace netkit
