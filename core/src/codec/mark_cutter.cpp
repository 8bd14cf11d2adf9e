#include "codec/cutters.hpp"

#include <algorithm>
#include <limits>

namespace netkit {

namespace {

char escaped(char byte) {
  return static_cast<char>(static_cast<std::uint8_t>(byte) ^ 0x20U);
}

class MarkWriter final : public ImageWriter {
 public:
  explicit MarkWriter(const CodecSpec& spec) : ImageWriter(spec, spec.start), spec_(spec) {}

 private:
  std::size_t room(std::size_t size) const override { return 2 * size + spec_.end.size(); }

  FrameError wrap(std::string_view image, char* to, std::size_t& size) const override {
    char* at = std::copy_n(image.begin(), lead_.size(), to);
    for (const char byte : image.substr(lead_.size())) {
      if (is_escaped(byte)) {
        *at++ = static_cast<char>(*spec_.escape);
        *at++ = escaped(byte);
      } else {
        *at++ = byte;
      }
    }
    at = std::copy(spec_.end.begin(), spec_.end.end(), at);
    size = static_cast<std::size_t>(at - to);
    if (spec_.escape) return {};
    // Nothing but a decoder knows what the body and the marks make together.
    MarkCutter cutter(spec_, std::numeric_limits<std::uint64_t>::max());
    const Cut cut = cutter.cut({to, size});
    if (cut.kind == Cut::Kind::frame && cut.size == size) return {};
    return {FrameFault::mark, 0, 0};
  }

  bool is_escaped(char byte) const {
    return spec_.escape && (byte == static_cast<char>(*spec_.escape) ||
                            byte == spec_.start.front() || byte == spec_.end.front());
  }

  CodecSpec spec_;
};

}  // namespace

MarkCutter::MarkCutter(const CodecSpec& spec, std::uint64_t limit)
    : start_(spec.start), end_(spec.end), limit_(limit) {
  if (spec.escape) escape_ = static_cast<char>(*spec.escape);
}

Cut MarkCutter::find_start(std::string_view data) {
  std::size_t at = data.find(start_);
  outside_ = at == std::string_view::npos;
  if (outside_) {  // it may have begun
    at = data.size() - std::min(data.size(), start_.size() - 1);
    while (at < data.size() && !start_.starts_with(data.substr(at))) ++at;
  }
  return at > 0 ? Cut::skip(at) : Cut::more();
}

// What stands at the front of `rest`; unknown if that depends on what follows.
MarkCutter::Seen MarkCutter::look(std::string_view rest) const {
  if (rest.front() != end_.front() && rest.front() != start_.front()) return Seen::byte;
  if (rest.starts_with(end_)) return Seen::end;
  if (rest.starts_with(start_)) return Seen::start;
  return end_.starts_with(rest) || start_.starts_with(rest) ? Seen::unknown : Seen::byte;
}

Cut MarkCutter::restart(FrameFault fault) {
  scanned_ = 0;
  return Cut::bad(start_.size(), {fault, 0, fault == FrameFault::too_long ? limit_ : 0});
}

// The frame at the front, whose end mark begins at scanned_.
Cut MarkCutter::whole(std::string_view data) {
  const std::size_t end = scanned_;
  scanned_ = 0;
  Cut cut = Cut::frame(end + end_.size(), data.substr(0, end));
  cut.body = start_.size();
  cut.length = content_;
  if (content_ == end - start_.size()) return cut;
  char* const to = scratch_.room(end);
  char* at = std::copy(start_.begin(), start_.end(), to);
  for (std::size_t i = start_.size(); i < end; ++i) {
    *at++ = data[i] == *escape_ ? escaped(data[++i]) : data[i];
  }
  cut.image = {to, static_cast<std::size_t>(at - to)};
  return cut;
}

Cut MarkCutter::cut(std::string_view data) {
  scratch_.trim();
  if (scanned_ == 0) {
    if (!data.starts_with(start_)) return find_start(data);
    scanned_ = start_.size();
    content_ = 0;
    outside_ = false;
  }
  while (scanned_ < data.size()) {
    std::size_t size = 1;
    if (escape_ && data[scanned_] == *escape_) {
      if (scanned_ + 1 == data.size()) return Cut::more();
      const char byte = data[scanned_ + 1];
      if (byte == start_.front() || byte == end_.front()) return restart(FrameFault::stuffing);
      size = 2;
    } else {
      const Seen seen = look(data.substr(scanned_));
      if (seen == Seen::unknown) return Cut::more();
      if (seen == Seen::end) return whole(data);
      if (seen == Seen::start) return restart(FrameFault::start);
    }
    scanned_ += size;
    if (++content_ > limit_) return restart(FrameFault::too_long);
  }
  return Cut::more();
}

Cut MarkCutter::last(std::string_view) {
  scanned_ = 0;
  outside_ = false;
  return Cut::more();
}

std::shared_ptr<const FrameWriter> make_mark_writer(const CodecSpec& spec) {
  return std::make_shared<MarkWriter>(spec);
}

}  // namespace netkit
