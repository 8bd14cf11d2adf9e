#include "codec/cutters.hpp"

#include <algorithm>

#include <netkit/codec/binary_text.hpp>

namespace netkit {

namespace {

constexpr std::string_view kStarts = "$!";
constexpr std::string_view kCheckAndEnd = "*00\r\n";

// Of a sentence from its start on.
char check_of(std::string_view sentence) {
  char check = 0;
  for (const char byte : sentence.substr(1)) check = static_cast<char>(check ^ byte);
  return check;
}

CodecSpec without_check(CodecSpec spec) {
  spec.check = nullptr;
  return spec;
}

class NmeaWriter final : public ImageWriter {
 public:
  explicit NmeaWriter(const CodecSpec& spec) : ImageWriter(without_check(spec)) {}

  FrameError limit(std::string_view head, std::string_view body,
                   std::uint64_t max_frame) const override {
    // Less the start, and the check.
    return limit_length(head.size() + body.size() + 2, max_frame);
  }

 private:
  std::size_t room(std::size_t size) const override { return size + kCheckAndEnd.size(); }

  FrameError wrap(std::string_view image, char* to, std::size_t& size) const override {
    if (image.empty() || kStarts.find(image.front()) == std::string_view::npos ||
        image.find_first_of("$!*\r\n", 1) != std::string_view::npos) {
      return {FrameFault::form, 0, 0};
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    const auto check = static_cast<std::uint8_t>(check_of(image));
    char* at = std::copy(image.begin(), image.end(), to);
    at = std::copy(kCheckAndEnd.begin(), kCheckAndEnd.end(), at);
    to[image.size() + 1] = kDigits[check >> 4U];
    to[image.size() + 2] = kDigits[check & 0xFU];
    size = static_cast<std::size_t>(at - to);
    return {};
  }
};

}  // namespace

Cut NmeaCutter::whole(std::string_view sentence, std::size_t size) const {
  if (sentence.ends_with('\r')) sentence.remove_suffix(1);
  if (sentence.size() - 1 > limit_) return Cut::bad(size, {FrameFault::too_long, 0, limit_});
  Cut cut = Cut::frame(size, sentence);
  const std::size_t star = sentence.rfind('*');
  if (star == std::string_view::npos) return cut;
  const auto check = decode_hex(sentence.substr(star + 1));
  if (!check || check->size() != 1) {
    cut.check = CheckResult::bad;
    return cut;
  }
  cut.image = sentence.substr(0, star);
  cut.check = check->front() == check_of(cut.image) ? CheckResult::ok : CheckResult::bad;
  return cut;
}

Cut NmeaCutter::cut(std::string_view data) {
  if (scanned_ == 0) {
    const std::size_t start = std::min(data.find_first_of(kStarts), data.size());
    if (start > 0) return Cut::skip(start);
    scanned_ = 1;
  }
  const std::size_t most = static_cast<std::size_t>(limit_) + 2;  // the start, and a CR
  const std::size_t end = std::min(data.find_first_of("\n$!", scanned_), data.size());
  scanned_ = 0;
  if (end > most) return Cut::bad(1, {FrameFault::too_long, 0, limit_});
  if (end == data.size()) {
    scanned_ = end;
    return Cut::more();
  }
  if (data[end] != '\n') return Cut::bad(1, {FrameFault::start, 0, 0});
  return whole(data.substr(0, end), end + 1);
}

Cut NmeaCutter::last(std::string_view data) {
  scanned_ = 0;
  return data.empty() ? Cut::more() : whole(data, data.size());
}

std::shared_ptr<const FrameWriter> make_nmea_writer(const CodecSpec& spec) {
  return std::make_shared<NmeaWriter>(spec);
}

}  // namespace netkit
