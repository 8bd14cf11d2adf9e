// What `echo ping` sends, and how it knows its own again in whatever a server makes of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netkit::echo {

// A probe: `id` (8 bytes, the same for a run, random), `number` (4 bytes), then filling up to the
// size; numbers in network byte order. When it was sent is not in it, so that no reply can lie
// about it.
inline constexpr std::size_t kMinProbe = 12;

// `size` bytes, at least kMinProbe.
std::string make_probe(std::uint64_t id, std::uint32_t number, std::size_t size);
// Writes id and number over the front of `buffer`, which is kMinProbe bytes or more.
void stamp_probe(std::string& buffer, std::uint64_t id, std::uint32_t number);

// The number of the probe in `reply`, wherever it stands in it: servers may answer with more than
// they were sent. Nothing when it holds no whole probe of this run.
std::optional<std::uint32_t> find_probe(std::string_view reply, std::uint64_t id);

}  // namespace netkit::echo
