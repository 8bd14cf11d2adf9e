// Lines on stderr that peers can cause at will.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/plugin/host.hpp>
#include <netkit/util/rate.hpp>

namespace netkit {

// Ten a second, and twenty at once after a rest; the next line says how many were left out. [loop]
class LimitedLog {
 public:
  explicit LimitedLog(Host& host) : host_(&host), bucket_(kPerSecond, kBurst, host.loop().now()) {}

  void notice(std::string_view line) {
    if (!bucket_.take(host_->loop().now())) {
      ++left_out_;
      return;
    }
    if (left_out_ == 0) return host_->log().notice(line);
    host_->log().notice(std::string(line) + " (and " + std::to_string(left_out_) +
                        " more lines like this)");
    left_out_ = 0;
  }

 private:
  static constexpr double kPerSecond = 10;
  static constexpr double kBurst = 20;

  Host* host_;
  TokenBucket bucket_;
  std::uint64_t left_out_ = 0;
};

}  // namespace netkit
