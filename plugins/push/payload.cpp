#include <push/payload.hpp>

#include <netkit/util/big_endian.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

constexpr std::uint8_t kPayloadVersion = 1;

}  // namespace

std::optional<std::string_view> clean_name(std::string_view text) {
  const std::string_view name = trim_white_space(text);
  if (name.empty() || name.size() > kMaxName) return std::nullopt;
  return name;
}

std::string encode(const Request& request) {
  std::string out;
  big_endian::Writer(out)
      .number(kPayloadVersion)
      .number(request.stream)
      .number(request.since)
      .rest(request.name);
  return out;
}

std::string encode(const Welcome& welcome) {
  std::string out;
  big_endian::Writer(out).number(kPayloadVersion).number(welcome.stream).number(welcome.first);
  return out;
}

std::optional<Request> decode_request(std::string_view payload) {
  std::uint8_t version = 0;
  Request request;
  big_endian::Reader in(payload);
  in.number(version).number(request.stream).number(request.since).rest(request.name);
  const auto name = clean_name(request.name);
  if (!in.good() || version != kPayloadVersion || !name) return std::nullopt;
  request.name = *name;
  return request;
}

std::optional<Welcome> decode_welcome(std::string_view payload) {
  std::uint8_t version = 0;
  Welcome welcome;
  std::string_view more;
  big_endian::Reader in(payload);
  in.number(version).number(welcome.stream).number(welcome.first).rest(more);
  if (!in.good() || version != kPayloadVersion || !more.empty()) return std::nullopt;
  return welcome;
}

}  // namespace netkit::push
