// A connection of `sse bench`, and the readers that share it.
#pragma once

#include <cstddef>
#include <memory>
#include <sse/bench_meter.hpp>
#include <sse/http_url.hpp>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/log.hpp>

namespace netkit::sse {

// What all of them share; all outlives them.
struct BenchSurroundings {
  EventLoop& loop;
  const Log& log;
  const HttpUrl& url;
  Duration connect_timeout;
  std::shared_ptr<StreamMaker> tls;  // none: plain TCP
  BenchMeter& meter;
};

// [loop]
class BenchConnection {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // A reader has no stream, or no longer one, which the meter has been told.
    virtual void on_reader_failed(ExitStatus status, const std::string& error) = 0;
  };

  virtual ~BenchConnection() = default;
  virtual void start() = 0;
  // The run ends: tells the meter how long its readers have waited.
  virtual void end() = 0;

  // Of one reader, by HTTP/1.1.
  static std::unique_ptr<BenchConnection> http1(const BenchSurroundings& with, Handler& handler);
  // Of several, by HTTP/2; without TLS it begins with that, as the server must know (RFC 9113,
  // section 3.3).
  static std::unique_ptr<BenchConnection> http2(const BenchSurroundings& with, Handler& handler,
                                                std::size_t readers);
};

}  // namespace netkit::sse
