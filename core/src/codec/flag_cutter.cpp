#include "codec/cutters.hpp"

#include <algorithm>
#include <cstring>

namespace netkit {

namespace {

char xored(char byte) {
  return static_cast<char>(static_cast<std::uint8_t>(byte) ^ 0x20U);
}

class FlagWriter final : public ImageWriter {
 public:
  explicit FlagWriter(const CodecSpec& spec) : ImageWriter(spec), rules_(FlagRules::of(spec)) {}

 private:
  std::size_t room(std::size_t size) const override { return 2 * size + 2; }

  // The flag in front ends whatever noise the line had before it.
  FrameError wrap(std::string_view image, char* to, std::size_t& size) const override {
    if (image.empty()) return {FrameFault::empty, 0, 1};
    char* at = to;
    *at++ = rules_.flag;
    for (const char byte : image) {
      const bool is_flag = byte == rules_.flag;
      if (!is_flag && byte != rules_.escape) {
        *at++ = byte;
        continue;
      }
      if (!rules_.escape) return {FrameFault::mark, 0, 0};
      *at++ = *rules_.escape;
      *at++ = is_flag ? rules_.flag_code : rules_.escape_code;
    }
    *at++ = rules_.flag;
    size = static_cast<std::size_t>(at - to);
    return {};
  }

  FlagRules rules_;
};

}  // namespace

FlagRules FlagRules::of(const CodecSpec& spec) {
  constexpr FlagRules kSlip{'\xc0', '\xdb', '\xdc', '\xdd', false, false};
  constexpr FlagRules kHdlc{'\x7e', '\x7d', '\x5e', '\x5d', true, true};
  constexpr FlagRules kJt808{'\x7e', '\x7d', '\x02', '\x01', false, true};
  if (spec.by == CutBy::slip) return kSlip;
  if (spec.by == CutBy::hdlc) return kHdlc;
  if (spec.dialect == Dialect::jt808) return kJt808;
  FlagRules rules{spec.end.front(), std::nullopt, 0, 0, true, true};
  if (!spec.escape) return rules;
  rules.escape = static_cast<char>(*spec.escape);
  rules.flag_code = xored(rules.flag);
  rules.escape_code = xored(*rules.escape);
  return rules;
}

FlagCutter::FlagCutter(const CodecSpec& spec, std::uint64_t limit)
    : rules_(FlagRules::of(spec)),
      limit_(limit),
      most_(rules_.escape ? 2 * limit + 1 : limit),
      open_(!rules_.opens) {}

Cut FlagCutter::skip_to_flag(std::string_view data) {
  const std::size_t size = std::min(data.find(rules_.flag), data.size());
  if (!skipping_) return Cut::skip(size);
  skipping_ = size == data.size();
  return Cut::fill(size);
}

// Sets `image` to the content without stuffing, whose first escape is at `escape`. False if there
// is an escape that is none.
bool FlagCutter::unstuff(std::string_view content, const char* escape, std::string_view& image) {
  char* const to = scratch_.room(content.size());
  char* at = to;
  const char* from = content.data();
  const char* const end = from + content.size();
  while (escape != nullptr) {
    const auto plain = static_cast<std::size_t>(escape - from);
    std::memcpy(at, from, plain);
    at += plain;
    from = escape + 1;
    if (from == end) return false;
    if (*from == rules_.flag_code) {
      *at++ = rules_.flag;
    } else if (*from == rules_.escape_code) {
      *at++ = *rules_.escape;
    } else if (rules_.any_code) {
      *at++ = xored(*from);
    } else {
      return false;
    }
    const auto left = static_cast<std::size_t>(end - ++from);
    escape = static_cast<const char*>(std::memchr(from, *rules_.escape, left));
  }
  const auto rest = static_cast<std::size_t>(end - from);
  std::memcpy(at, from, rest);
  image = {to, static_cast<std::size_t>(at - to) + rest};
  return true;
}

// The flag after a bad frame stays, as the one before the next.
Cut FlagCutter::whole(std::string_view content, std::size_t size) {
  const FrameError too_long{FrameFault::too_long, 0, limit_};
  if (content.size() > most_) return Cut::bad(size - 1, too_long);
  std::string_view image = content;
  if (rules_.escape) {
    const void* escape = std::memchr(content.data(), *rules_.escape, content.size());
    if (escape != nullptr && !unstuff(content, static_cast<const char*>(escape), image)) {
      return Cut::bad(size - 1, {FrameFault::stuffing, 0, 0});
    }
  }
  if (image.size() > limit_) return Cut::bad(size - 1, too_long);
  return Cut::frame(size, image);
}

Cut FlagCutter::cut(std::string_view data) {
  scratch_.trim();
  lone_ = false;
  const std::size_t from = data.front() == rules_.flag ? 1 : 0;
  if (from == 0 && (skipping_ || !open_)) return skip_to_flag(data);
  skipping_ = false;
  if (from == data.size()) {
    lone_ = true;
    return Cut::more();
  }
  if (from == 1 && data[1] == rules_.flag) return Cut::fill(1);
  const std::size_t end = data.find(rules_.flag, std::max(from, scanned_));
  if (end == std::string_view::npos) {
    scanned_ = data.size();
    if (data.size() - from <= most_) return Cut::more();
    skipping_ = true;
    scanned_ = 0;
    return Cut::bad(data.size(), {FrameFault::too_long, 0, limit_});
  }
  scanned_ = 0;
  open_ = true;
  return whole(data.substr(from, end - from), end + 1);
}

Cut FlagCutter::last(std::string_view) {
  scanned_ = 0;
  open_ = !rules_.opens;
  skipping_ = false;
  lone_ = false;
  return Cut::more();
}

std::shared_ptr<const FrameWriter> make_flag_writer(const CodecSpec& spec) {
  return std::make_shared<FlagWriter>(spec);
}

}  // namespace netkit
