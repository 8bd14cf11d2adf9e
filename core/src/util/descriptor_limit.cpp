#include <algorithm>
#include <sys/resource.h>

#include <netkit/util/descriptor_limit.hpp>

namespace netkit {

std::size_t raise_descriptor_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (limit.rlim_cur < std::min<rlim_t>(wanted, limit.rlim_max) &&
      ::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
    return raised.rlim_cur;
  }
  return limit.rlim_cur;
}

}  // namespace netkit
