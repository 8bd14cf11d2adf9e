// What a call says when it refuses its input.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::test {

// The message of the Error that `call` throws, which has this status; empty: it throws none.
template <typename Call>
std::string refusal(Call&& call, ExitStatus status = ExitStatus::usage) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), status);
    return error.what();
  }
  return {};
}

}  // namespace netkit::test
