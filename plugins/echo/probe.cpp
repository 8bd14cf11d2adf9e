#include <algorithm>
#include <array>
#include <echo/probe.hpp>

namespace netkit::echo {

namespace {

constexpr std::size_t kIdSize = 8;

std::array<char, kIdSize> id_bytes(std::uint64_t id) {
  std::array<char, kIdSize> bytes{};
  for (std::size_t i = 0; i < kIdSize; ++i) bytes[i] = static_cast<char>(id >> (56 - 8 * i));
  return bytes;
}

}  // namespace

void stamp_probe(std::string& buffer, std::uint64_t id, std::uint32_t number) {
  const auto head = id_bytes(id);
  std::copy(head.begin(), head.end(), buffer.begin());
  for (std::size_t i = 0; i < 4; ++i)
    buffer[kIdSize + i] = static_cast<char>(number >> (24 - 8 * i));
}

std::string make_probe(std::uint64_t id, std::uint32_t number, std::size_t size) {
  std::string probe(std::max(size, kMinProbe), '\0');
  for (std::size_t i = kMinProbe; i < probe.size(); ++i) {
    probe[i] = static_cast<char>('a' + (i - kMinProbe) % 26);
  }
  stamp_probe(probe, id, number);
  return probe;
}

std::optional<std::uint32_t> find_probe(std::string_view reply, std::uint64_t id) {
  const auto head = id_bytes(id);
  const std::size_t at = reply.find(std::string_view(head.data(), head.size()));
  if (at == std::string_view::npos || reply.size() - at < kMinProbe) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : reply.substr(at + kIdSize, 4)) {
    number = number << 8 | static_cast<unsigned char>(c);
  }
  return number;
}

}  // namespace netkit::echo
