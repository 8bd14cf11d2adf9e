// What a limit lets through.
#pragma once

#include <netkit/util/clock.hpp>

namespace netkit::test {

// How many of `attempts`, evenly spread over `span` after `from`, pass.
template <typename Allow>
int passed(int attempts, Duration span, TimePoint from, Allow&& allow) {
  int count = 0;
  for (int i = 0; i < attempts; ++i) count += allow(from + span * i / attempts) ? 1 : 0;
  return count;
}

}  // namespace netkit::test
