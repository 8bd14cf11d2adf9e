// `--allow` and `--deny`: which addresses a server has to do with.
#pragma once

#include <string>
#include <vector>

#include <netkit/net/ip_address.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// An address is let in when no `deny` block holds it and, where there are `allow` blocks, one of
// them does. Read only after it is made. [any thread]
class NETKIT_API AccessList {
 public:
  AccessList() = default;
  // Blocks as typed. Throws UsageError for what is none: "--allow: 'x' is not an address block".
  AccessList(const std::vector<std::string>& allow, const std::vector<std::string>& deny);
  bool permits(const IpAddress& address) const {
    return (allow_.empty() && deny_.empty()) || permits_by_list(address);
  }

 private:
  bool permits_by_list(const IpAddress& address) const;
  std::vector<Cidr> allow_;
  std::vector<Cidr> deny_;
};

}  // namespace netkit
