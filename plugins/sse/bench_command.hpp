// `sse bench`: many readers of one stream at once.
#pragma once

#include <cstddef>
#include <optional>
#include <sse/http_url.hpp>

#include <netkit/plugin/plugin.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::sse {

struct BenchOptions {
  HttpUrl url;
  std::size_t readers = 100;
  Duration duration = std::chrono::seconds(10);
  Duration connect_timeout = std::chrono::seconds(10);
  TlsClientOptions tls;
  // What is over these makes the answer no.
  Duration max_first = kNever;
  Duration max_gap = kNever;
  std::optional<double> max_lost;  // in per cent
};

class BenchCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  BenchOptions options_;
};

}  // namespace netkit::sse
