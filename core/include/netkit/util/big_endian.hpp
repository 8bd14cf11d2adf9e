// Big-endian numbers in and out of bytes, as network protocols have them. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace netkit::big_endian {

// Reads sizeof(Number) bytes; no bounds are checked, as in put().
template <typename Number>
inline Number get(const char* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    value = value << 8 | static_cast<unsigned char>(at[i]);
  }
  return static_cast<Number>(value);
}

template <typename Number>
inline void put(char* at, Number number) {
  auto value = static_cast<std::uint64_t>(number);
  for (std::size_t i = sizeof(Number); i-- > 0; value >>= 8) {
    at[i] = static_cast<char>(value & 0xff);
  }
}

template <typename Number>
inline void append(std::string& out, Number number) {
  char bytes[sizeof(Number)];
  put(bytes, number);
  out.append(bytes, sizeof bytes);
}

// Writes a message in place of what `out` holds.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) { out_.clear(); }
  template <typename Number>
  Writer& number(Number value) {
    append(out_, value);
    return *this;
  }
  // A length of one byte and the text, which is cut after 255.
  Writer& short_text(std::string_view text) {
    const std::string_view cut = text.substr(0, 255);
    number(static_cast<std::uint8_t>(cut.size()));
    out_ += cut;
    return *this;
  }
  Writer& rest(std::string_view text) {
    out_ += text;
    return *this;
  }

 private:
  std::string& out_;
};

// Reads what is there. If there are too few bytes, it becomes bad and leaves its outputs unchanged.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename Number>
  Reader& number(Number& value) {
    if (!need(sizeof value)) return *this;
    value = get<Number>(bytes_.data());
    bytes_.remove_prefix(sizeof value);
    return *this;
  }
  Reader& short_text(std::string_view& text) {
    std::uint8_t size = 0;
    number(size);
    if (!need(size)) return *this;
    text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return *this;
  }
  Reader& rest(std::string_view& text) {
    text = bytes_;
    return *this;
  }
  bool good() const { return good_; }

 private:
  bool need(std::size_t size) {
    good_ = good_ && bytes_.size() >= size;
    return good_;
  }
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace netkit::big_endian
