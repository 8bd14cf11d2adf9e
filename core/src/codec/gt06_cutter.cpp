#include "codec/cutters.hpp"

#include <algorithm>

#include <netkit/util/big_endian.hpp>

namespace netkit {

namespace {

constexpr char kShort = '\x78';
constexpr char kLong = '\x79';
constexpr std::size_t kShortHead = 3;  // the start and the length
constexpr std::size_t kLongHead = 4;
constexpr std::string_view kEnd = "\r\n";
constexpr std::size_t kCheck = 2;  // bytes, which the length counts
constexpr std::size_t kLeast = kCheck + 1;

// Where the first start in `data` begins, or might: its size if nowhere.
std::size_t find_start(std::string_view data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    const char byte = data[i];
    if (byte != kShort && byte != kLong) continue;
    if (i + 1 == data.size() || data[i + 1] == byte) return i;
  }
  return data.size();
}

class Gt06Writer final : public FrameWriter {
 public:
  explicit Gt06Writer(const CodecSpec& spec) : FrameWriter(spec) {}

  FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const override {
    constexpr std::size_t kLongest = 0xFFFF;
    const std::size_t content = head.size() + body.size();
    const std::size_t length = content + kCheck;
    if (content == 0) return {FrameFault::empty, 0, 1};
    if (length > kLongest) return {FrameFault::width, length, kLongest};
    const bool wide = length > 0xFF;
    char* const to = out.reserve(content + 8);
    char* at = std::fill_n(to, 2, wide ? kLong : kShort);
    if (wide) {
      big_endian::put(at, static_cast<std::uint16_t>(length));
    } else {
      *at = static_cast<char>(length);
    }
    const std::size_t body_at = wide ? kLongHead : kShortHead;
    at = to + body_at;
    at = std::copy(head.begin(), head.end(), at);
    at = std::copy(body.begin(), body.end(), at);
    check_->put(at, {to, static_cast<std::size_t>(at - to)}, body_at);
    at = std::copy(kEnd.begin(), kEnd.end(), at + kCheck);
    out.commit(static_cast<std::size_t>(at - to));
    return {};
  }
};

}  // namespace

Cut Gt06Cutter::cut(std::string_view data) {
  const std::size_t start = find_start(data);
  outside_ = true;
  if (start > 0) return Cut::skip(start);
  if (data.size() < 2) return Cut::more();
  outside_ = false;
  const bool wide = data.front() == kLong;
  const std::size_t head = wide ? kLongHead : kShortHead;
  if (data.size() < head) return Cut::more(head);
  const char* const field = data.data() + 2;
  const std::size_t length =
      wide ? big_endian::get<std::uint16_t>(field) : big_endian::get<std::uint8_t>(field);
  if (length < kLeast) return Cut::bad(1, {FrameFault::too_short, length, kLeast});
  if (length > limit_) return Cut::bad(1, {FrameFault::too_long, length, limit_});
  const std::size_t end = head + length;
  if (data.size() < end + kEnd.size()) return Cut::more(end + kEnd.size());
  if (data.substr(end, kEnd.size()) != kEnd) return Cut::bad(1, {FrameFault::end, length, 0});
  Cut cut = Cut::frame(end + kEnd.size(), data.substr(0, end));
  cut.body = head;
  cut.length = length;
  return cut;
}

Cut Gt06Cutter::last(std::string_view) {
  outside_ = false;
  return Cut::more();
}

std::shared_ptr<const FrameWriter> make_gt06_writer(const CodecSpec& spec) {
  return std::make_shared<Gt06Writer>(spec);
}

}  // namespace netkit
