#include "codec/cutters.hpp"

#include <algorithm>
#include <utility>

namespace netkit {

namespace {

class BlockWriter final : public ImageWriter {
 public:
  explicit BlockWriter(const CodecSpec& spec) : ImageWriter(spec), size_(spec.size) {}

 private:
  FrameError wrap(std::string_view image, char* to, std::size_t& size) const override {
    if (image.empty()) return {FrameFault::empty, 0, 1};
    if (size_ != 0 && image.size() != size_) {
      return {FrameFault::size, image.size() - check_size(), size_};
    }
    std::copy(image.begin(), image.end(), to);
    size = image.size();
    return {};
  }

  std::size_t size_;  // 0: any
};

}  // namespace

// The bytes that are checked for one bad frame: all places within a small one, a few within a
// large one.
constexpr std::size_t kMostChecked = std::size_t{4} << 20U;
constexpr std::size_t kLeastTries = 64;

FixedCutter::FixedCutter(const CodecSpec& spec, std::uint64_t limit)
    : check_(spec.check),
      limit_(limit),
      size_(spec.size),
      most_tries_(std::max(kLeastTries, kMostChecked / size_)) {}

Cut FixedCutter::cut(std::string_view data) {
  if (size_ > limit_) return Cut::fail({FrameFault::too_long, size_, limit_});
  if (data.size() < size_) return Cut::more(size_);
  const std::string_view image = data.substr(0, size_);
  if (!check_ || check_->holds(image, 0)) {
    slipped_ = 0;
    first_try_ = 1;
    return Cut::frame(size_, image);
  }
  if (slipped_ > 0) return slip();
  const std::size_t skipped = std::min(first_try_, size_);
  slipped_ = size_ - skipped;
  tries_ = 0;
  Cut cut = Cut::frame(skipped, image);
  cut.wire = size_;
  return cut;
}

// The next place, or where there were enough, what is behind the bad frame; after the next bad one
// the places are others.
Cut FixedCutter::slip() {
  if (++tries_ < most_tries_) {
    --slipped_;
    return Cut::fill(1);
  }
  first_try_ = first_try_ + tries_ < size_ ? first_try_ + tries_ : 1;
  return Cut::fill(std::exchange(slipped_, 0));
}

Cut FixedCutter::last(std::string_view) {
  slipped_ = 0;
  first_try_ = 1;
  return Cut::more();
}

Cut IdleCutter::cut(std::string_view data) {
  if (skipping_) return Cut::fill(data.size());
  if (data.size() <= limit_) return Cut::more();
  skipping_ = true;
  return Cut::bad(data.size(), {FrameFault::too_long, 0, limit_});
}

Cut IdleCutter::last(std::string_view data) {
  skipping_ = false;
  return data.empty() ? Cut::more() : Cut::frame(data.size(), data);
}

std::shared_ptr<const FrameWriter> make_block_writer(const CodecSpec& spec) {
  return std::make_shared<BlockWriter>(spec);
}

}  // namespace netkit
