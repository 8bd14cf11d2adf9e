// What stateful fuzzers share: an input read as a script, dice, and a policy that lets everybody
// in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <netkit/net/answer_policy.hpp>

namespace netkit::fuzz {

// The random numbers of what is fuzzed, which are the same in each run.
class Dice {
 public:
  explicit Dice(std::uint64_t seed = 0) : rolled_(seed) {}
  std::uint64_t operator()() { return ++rolled_ * 0x9e3779b97f4a7c15u; }

 private:
  std::uint64_t rolled_;
};

// The bytes of an input, taken one after the other; 0 and empty once they are used up.
class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {}
  bool done() const { return bytes_.empty(); }
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  // A length byte and so many bytes.
  std::string_view text() {
    const std::string_view text = bytes_.substr(0, byte());
    bytes_.remove_prefix(std::min(text.size(), bytes_.size()));
    return text;
  }

 private:
  std::string_view bytes_;
};

// Whose plain peers a server answers: anybody's, as no address is one of this machine.
inline AnswerPolicy open_policy() {
  const auto never = [](const IpAddress&) { return false; };
  return AnswerPolicy{{}, {never, never, never}, {}};
}

}  // namespace netkit::fuzz
