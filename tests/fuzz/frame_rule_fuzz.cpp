// A rule is refused or it answers any body without end or harm. The rule ends with the first
// newline.
#include <cstdint>
#include <frame/rule.hpp>
#include <string_view>

#include <netkit/util/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  constexpr std::size_t kLongestRule = 60;  // the time that a regex takes grows with its states
  const std::size_t end = all.find('\n');
  if (end == all.npos || end > kLongestRule) return 0;
  try {
    const netkit::frame::Rule rule = netkit::frame::Rule::parse(all.substr(0, end));
    static_cast<void>(rule.answer(all.substr(end + 1), netkit::WallTime()));
  } catch (const netkit::UsageError&) {
    return 0;
  }
  return 0;
}
