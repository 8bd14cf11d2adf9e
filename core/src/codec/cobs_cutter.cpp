#include "codec/cutters.hpp"

#include <algorithm>
#include <cstring>

namespace netkit {

namespace {

constexpr std::size_t kBlock = 254;  // bytes other than zero that one count stands for

class CobsWriter final : public ImageWriter {
 public:
  explicit CobsWriter(const CodecSpec& spec) : ImageWriter(spec) {}

 private:
  std::size_t room(std::size_t size) const override { return size + size / kBlock + 2; }

  FrameError wrap(std::string_view image, char* to, std::size_t& size) const override {
    char* at = to;
    while (true) {
      const std::size_t most = std::min(image.size(), kBlock);
      const std::size_t zero = image.substr(0, most).find('\0');
      const std::size_t plain = std::min(zero, most);
      *at++ = static_cast<char>(plain + 1);
      at = std::copy_n(image.begin(), plain, at);
      if (plain == image.size()) break;
      image.remove_prefix(plain + (zero == std::string_view::npos ? 0 : 1));
    }
    *at++ = '\0';
    size = static_cast<std::size_t>(at - to);
    return {};
  }
};

}  // namespace

CobsCutter::CobsCutter(std::uint64_t limit) : limit_(limit), most_(limit + limit / kBlock + 2) {}

Cut CobsCutter::whole(std::string_view stuffed, std::size_t size) {
  const FrameError too_long{FrameFault::too_long, 0, limit_};
  if (stuffed.size() > most_) return Cut::bad(size, too_long);
  char* const to = scratch_.room(stuffed.size());
  char* at = to;
  const char* from = stuffed.data();
  const char* const end = from + stuffed.size();
  while (true) {
    const std::size_t plain = static_cast<std::uint8_t>(*from++) - std::size_t{1};
    if (plain > static_cast<std::size_t>(end - from)) {
      return Cut::bad(size, {FrameFault::stuffing, 0, 0});
    }
    std::memmove(at, from, plain);  // a memcpy of so few bytes becomes a slow string instruction
    at += plain;
    from += plain;
    if (from == end) break;
    if (plain < kBlock) *at++ = '\0';
  }
  const std::string_view image(to, static_cast<std::size_t>(at - to));
  if (image.size() > limit_) return Cut::bad(size, too_long);
  return Cut::frame(size, image);
}

Cut CobsCutter::cut(std::string_view data) {
  scratch_.trim();
  const std::size_t end = data.find('\0', scanned_);
  scanned_ = 0;
  if (end == std::string_view::npos) {
    if (skipping_) return Cut::fill(data.size());
    if (data.size() > most_) {
      skipping_ = true;
      return Cut::bad(data.size(), {FrameFault::too_long, 0, limit_});
    }
    scanned_ = data.size();
    return Cut::more();
  }
  if (end == 0 || skipping_) {  // nothing between two zeros is no frame
    skipping_ = false;
    return Cut::fill(end + 1);
  }
  return whole(data.substr(0, end), end + 1);
}

Cut CobsCutter::last(std::string_view) {
  scanned_ = 0;
  skipping_ = false;
  return Cut::more();
}

std::shared_ptr<const FrameWriter> make_cobs_writer(const CodecSpec& spec) {
  return std::make_shared<CobsWriter>(spec);
}

}  // namespace netkit
