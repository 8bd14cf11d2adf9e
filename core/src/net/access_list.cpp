#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include <netkit/net/access_list.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

std::vector<Cidr> parse_all(const std::vector<std::string>& texts, std::string_view option) {
  std::vector<Cidr> blocks;
  for (const std::string& text : texts) {
    const auto block = Cidr::parse(text);
    if (!block) {
      throw UsageError(
          fmt::format("{}: '{}' is not an address block (write 10.0.0.0/8, fe80::/10 or 192.0.2.1)",
                      option, text));
    }
    blocks.push_back(*block);
  }
  return blocks;
}

bool holds(const std::vector<Cidr>& blocks, const IpAddress& address) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace

AccessList::AccessList(const std::vector<std::string>& allow, const std::vector<std::string>& deny)
    : allow_(parse_all(allow, "--allow")), deny_(parse_all(deny, "--deny")) {}

bool AccessList::permits_by_list(const IpAddress& address) const {
  return !holds(deny_, address) && (allow_.empty() || holds(allow_, address));
}

}  // namespace netkit
