#include "codec/cutters.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {

namespace {

// PostgreSQL's messages without a type.
CodecSpec untyped(CodecSpec spec) {
  spec.offset = 0;
  spec.strip = 0;
  return spec;
}

void append_parts(char* to, std::string_view head, std::string_view body) {
  if (!head.empty()) std::memcpy(to, head.data(), head.size());
  if (!body.empty()) std::memcpy(to + head.size(), body.data(), body.size());
}

// How many bytes the varint at `offset` of `head` and then `body` has; 0 if it does not end.
std::size_t varint_size(std::string_view head, std::string_view body, std::size_t offset) {
  constexpr std::size_t kMost = 10;
  const std::size_t end = std::min(offset + kMost, head.size() + body.size());
  for (std::size_t at = offset; at < end; ++at) {
    const char byte = at < head.size() ? head[at] : body[at - head.size()];
    if (static_cast<std::uint8_t>(byte) < 0x80U) return at + 1 - offset;
  }
  return 0;
}

// A field that stands before the content.
class PrefixWriter final : public FrameWriter {
 public:
  explicit PrefixWriter(const CodecSpec& spec) : FrameWriter(spec), field_(spec) {}

  FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const override {
    const std::size_t content = head.size() + body.size();
    const std::size_t rest = content + check_size();
    char* const to = out.reserve(LengthField::kMaxSize + rest);
    const std::size_t field = field_.put(to, rest);
    if (field == 0) return field_.error_of(rest);
    append_parts(to + field, head, body);
    if (check_) check_->put(to + field + content, {to, field + content}, field);
    out.commit(field + rest);
    return {};
  }

 private:
  LengthField field_;
};

// A field that lies in the content, which has room for it.
class InnerWriter final : public FrameWriter {
 public:
  explicit InnerWriter(const CodecSpec& spec)
      : FrameWriter(spec), field_(spec), offset_(spec.offset) {
    if (spec.dialect == Dialect::postgres) after_zero_.emplace(untyped(spec));
  }

  FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const override {
    const bool zero = is_untyped(head, body);
    const std::size_t offset = zero ? 0 : offset_;
    const std::size_t content = head.size() + body.size();
    const std::size_t had = field_size(head, body, offset);
    if (had == 0 || content < offset + had) {
      return {FrameFault::too_short, content, offset + std::max<std::size_t>(had, 1)};
    }
    // A varint may take more bytes than the one that is there; then what is before it moves.
    char* const to = out.reserve(LengthField::kMaxSize + content + check_size());
    char* const image = to + LengthField::kMaxSize;
    append_parts(image, head, body);
    const std::uint64_t rest = content - offset - had + check_size();
    std::array<char, LengthField::kMaxSize> field;
    std::size_t size = (zero ? *after_zero_ : field_).put(field.data(), rest);
    if (size == 0) return field_.error_of(rest);
    for (; size < had; ++size) {  // as many bytes as were there, as far as they do
      field[size - 1] = static_cast<char>(static_cast<std::uint8_t>(field[size - 1]) | 0x80U);
      field[size] = 0;
    }
    char* const from = image - (size - had);
    std::memmove(from, image, offset);
    std::memcpy(from + offset, field.data(), size);
    const std::size_t before = content + (size - had);
    if (check_) check_->put(from + before, {from, before}, 0);
    std::memmove(to, from, before + check_size());
    out.commit(before + check_size());
    return {};
  }

  FrameError limit(std::string_view head, std::string_view body,
                   std::uint64_t max_frame) const override {
    const std::size_t offset = is_untyped(head, body) ? 0 : offset_;
    const std::size_t before = offset + field_size(head, body, offset);
    const std::size_t size = head.size() + body.size();
    const std::uint64_t rest = size - std::min(size, before) + check_size();
    if (rest <= max_frame) return {};
    return {FrameFault::too_long, rest - static_cast<std::uint64_t>(field_.adjust), max_frame};
  }

 private:
  bool is_untyped(std::string_view head, std::string_view body) const {
    return after_zero_ && (head.empty() ? body : head).starts_with('\0');
  }
  std::size_t field_size(std::string_view head, std::string_view body, std::size_t offset) const {
    if (field_.width != 0) return field_.width;
    if (field_.digits != 0) return field_.digits;
    return varint_size(head, body, offset);
  }

  LengthField field_;
  std::optional<LengthField> after_zero_;
  std::size_t offset_;
};

}  // namespace

LengthCutter::LengthCutter(const CodecSpec& spec, std::uint64_t limit) : layout_(spec, limit) {
  if (spec.dialect == Dialect::postgres) after_zero_.emplace(untyped(spec), limit);
}

Cut LengthCutter::cut(std::string_view data) const {
  const LengthLayout& layout = after_zero_ && data.front() == '\0' ? *after_zero_ : layout_;
  FrameHead head;
  switch (layout.parse(data.data(), data.size(), head)) {
    case LengthLayout::Parsed::incomplete:
      return Cut::more();
    case LengthLayout::Parsed::wrong:
      return Cut::fail(layout.fault_of(data));
    case LengthLayout::Parsed::whole:
      break;
  }
  if (head.total > data.size()) return Cut::more(head.total);
  Cut cut = Cut::frame(head.total, data.substr(0, head.total));
  cut.body = head.strip;
  cut.length = head.length;
  return cut;
}

std::shared_ptr<const FrameWriter> make_length_writer(const CodecSpec& spec) {
  const std::uint32_t field = spec.width + spec.digits;
  const bool all_kept = spec.strip ? *spec.strip == 0 : spec.offset != 0;
  if (all_kept) return std::make_shared<InnerWriter>(spec);
  if (spec.offset == 0 && (!spec.strip || (field != 0 && *spec.strip == field))) {
    return std::make_shared<PrefixWriter>(spec);
  }
  throw UsageError(
      fmt::format("codec '{}' can only decode: to encode, use strip=0 (the body then includes the "
                  "length field), or no strip if the field comes first",
                  spec.to_string()));
}

}  // namespace netkit
