#include <push/payload.hpp>

#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

constexpr char kPayloadVersion = 1;
constexpr std::size_t kFixedSize = 17;  // version and two numbers

void put(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

std::uint64_t get(std::string_view bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(at, 8)) {
    value = value << 8 | static_cast<unsigned char>(byte);
  }
  return value;
}

}  // namespace

std::optional<std::string_view> clean_name(std::string_view text) {
  const std::string_view name = trim_white_space(text);
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  return name;
}

std::string encode(const Request& request) {
  std::string out(1, kPayloadVersion);
  put(out, request.stream);
  put(out, request.since);
  out += request.name;
  return out;
}

std::string encode(const Welcome& welcome) {
  std::string out(1, kPayloadVersion);
  put(out, welcome.stream);
  put(out, welcome.first);
  return out;
}

std::optional<Request> decode_request(std::string_view payload) {
  if (payload.size() < kFixedSize || payload[0] != kPayloadVersion) return std::nullopt;
  const auto name = clean_name(payload.substr(kFixedSize));
  if (!name) return std::nullopt;
  return Request{get(payload, 1), get(payload, 9), *name};
}

std::optional<Welcome> decode_welcome(std::string_view payload) {
  if (payload.size() != kFixedSize || payload[0] != kPayloadVersion) return std::nullopt;
  return Welcome{get(payload, 1), get(payload, 9)};
}

}  // namespace netkit::push
