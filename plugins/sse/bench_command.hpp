// `sse bench`: many readers of one stream at once.
#pragma once

#include <cstddef>
#include <sse/bench_meter.hpp>
#include <sse/http_url.hpp>

#include <netkit/plugin/plugin.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::sse {

struct BenchOptions {
  HttpUrl url;
  std::size_t readers = 100;
  std::size_t streams = 0;  // readers that share a connection, by HTTP/2; 0: none, by HTTP/1.1
  Duration duration = std::chrono::seconds(10);
  Duration connect_timeout = std::chrono::seconds(10);
  TlsClientOptions tls;
  BenchThresholds thresholds;
};

class BenchCommand final : public Command {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  BenchOptions options_;
};

}  // namespace netkit::sse
