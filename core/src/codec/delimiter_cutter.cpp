#include "codec/cutters.hpp"

#include <algorithm>
#include <cstring>

namespace netkit {

namespace {

std::string end_of(const CodecSpec& spec) {
  return spec.by == CutBy::line ? "\n" : spec.end;
}

class DelimiterWriter final : public ImageWriter {
 public:
  explicit DelimiterWriter(const CodecSpec& spec)
      : ImageWriter(spec), end_(end_of(spec)), line_(spec.by == CutBy::line) {}

 private:
  std::size_t room(std::size_t size) const override { return size + end_.size(); }

  FrameError wrap(std::string_view image, char* to, std::size_t& size) const override {
    if (!image.empty()) std::memcpy(to, image.data(), image.size());
    std::memcpy(to + image.size(), end_.data(), end_.size());
    size = image.size() + end_.size();
    // Also one that the body and the end make together.
    if (std::string_view(to, size).find(end_) != image.size()) return {FrameFault::mark, 0, 0};
    if (line_ && image.ends_with('\r')) return {FrameFault::mark, 0, 0};
    return {};
  }

  std::string end_;
  bool line_;
};

}  // namespace

DelimiterCutter::DelimiterCutter(const CodecSpec& spec, std::uint64_t limit)
    : end_(end_of(spec)), limit_(limit), line_(spec.by == CutBy::line) {}

Cut DelimiterCutter::ended(std::string_view data, std::size_t end, std::size_t size) {
  scanned_ = 0;
  if (skipping_) {
    skipping_ = false;
    return Cut::fill(size);
  }
  std::string_view image = data.substr(0, end);
  if (line_ && image.ends_with('\r')) image.remove_suffix(1);
  if (image.size() > limit_) return Cut::bad(size, {FrameFault::too_long, 0, limit_});
  return Cut::frame(size, image);
}

Cut DelimiterCutter::unended(std::string_view data) {
  // The end may have begun.
  const std::size_t scanned = data.size() - std::min(data.size(), end_.size() - 1);
  scanned_ = 0;
  if (skipping_) return scanned > 0 ? Cut::fill(scanned) : Cut::more();
  if (scanned > limit_ + 1) {  // even if its last byte is a CR
    skipping_ = true;
    return Cut::bad(scanned, {FrameFault::too_long, 0, limit_});
  }
  scanned_ = scanned;
  return Cut::more();
}

Cut DelimiterCutter::cut(std::string_view data) {
  const std::size_t end =
      end_.size() == 1 ? data.find(end_.front(), scanned_) : data.find(end_, scanned_);
  if (end == std::string_view::npos) return unended(data);
  return ended(data, end, end + end_.size());
}

Cut DelimiterCutter::last(std::string_view data) {
  scanned_ = 0;
  const bool is_frame = line_ && !skipping_ && !data.empty();
  skipping_ = false;
  if (!is_frame) return Cut::more();
  // A CR without LF is part of the line.
  if (data.size() > limit_) return Cut::bad(data.size(), {FrameFault::too_long, 0, limit_});
  return Cut::frame(data.size(), data);
}

std::shared_ptr<const FrameWriter> make_delimiter_writer(const CodecSpec& spec) {
  return std::make_shared<DelimiterWriter>(spec);
}

}  // namespace netkit
