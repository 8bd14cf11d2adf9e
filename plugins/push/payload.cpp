#include <push/payload.hpp>

#include <netkit/util/big_endian.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

constexpr char kPayloadVersion = 1;
constexpr std::size_t kFixedSize = 17;  // version and two numbers

std::uint64_t number_at(std::string_view bytes, std::size_t at) {
  return big_endian::get<std::uint64_t>(bytes.data() + at);
}

}  // namespace

std::optional<std::string_view> clean_name(std::string_view text) {
  const std::string_view name = trim_white_space(text);
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  return name;
}

std::string encode(const Request& request) {
  std::string out(1, kPayloadVersion);
  big_endian::append(out, request.stream);
  big_endian::append(out, request.since);
  out += request.name;
  return out;
}

std::string encode(const Welcome& welcome) {
  std::string out(1, kPayloadVersion);
  big_endian::append(out, welcome.stream);
  big_endian::append(out, welcome.first);
  return out;
}

std::optional<Request> decode_request(std::string_view payload) {
  if (payload.size() < kFixedSize || payload[0] != kPayloadVersion) return std::nullopt;
  const auto name = clean_name(payload.substr(kFixedSize));
  if (!name) return std::nullopt;
  return Request{number_at(payload, 1), number_at(payload, 9), *name};
}

std::optional<Welcome> decode_welcome(std::string_view payload) {
  if (payload.size() != kFixedSize || payload[0] != kPayloadVersion) return std::nullopt;
  return Welcome{number_at(payload, 1), number_at(payload, 9)};
}

}  // namespace netkit::push
