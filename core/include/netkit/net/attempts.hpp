// A client's attempts to reach one of its servers: Failover, Reconnect and Outage on an event loop.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/log.hpp>
#include <netkit/util/random.hpp>

namespace netkit {

struct AddressSpec;

// The servers as messages name them. Any thread.
NETKIT_API std::vector<std::string> server_names(const std::vector<AddressSpec>& servers);

// [loop] Decides when to try which server, again after each drop, and logs outages. The owner makes
// the attempts, and reports how each ended. TcpClient does that with TCP connections; over
// datagrams an attempt has succeeded once the server has answered.
class NETKIT_API Attempts {
 public:
  // `servers`: their names for people, at least one. `attempt` is called for each attempt, never
  // from within failed(); the one before it is over. `loop` and `log` outlive this object.
  Attempts(EventLoop& loop, const Log& log, const Reconnect::Options& policy,
           std::vector<std::string> servers, std::function<void()> attempt);

  // Begins with the first of the servers, from within this call.
  void start();
  // The server() is there. Further calls change nothing until failed().
  void succeeded();
  // The attempt failed or, after succeeded(), the server is lost: `why` as Outage has it. True when
  // there will be another, which has been reported; false when --reconnect allows none: nothing is
  // reported and server() stays. `bounds` are for a delay of the policy, which comes before each
  // round of the servers. While an attempt is pending() nothing changes, and the answer is true.
  bool failed(std::string_view why, RetryBounds bounds = {});
  // No further attempts.
  void stop() { timer_.reset(); }

  // Between failed() and the next attempt.
  bool pending() const { return timer_.pending(); }
  // The index of the server that is in use, being tried, or tried next.
  std::size_t index() const { return failover_.current(); }
  const std::string& server() const { return servers_[index()]; }
  // There is an outage, which has been reported.
  bool outage() const { return outage_.lasts(); }

 private:
  void say(const Outage::Line& line) { log_.write(line.level, line.text); }

  EventLoop& loop_;
  const Log& log_;
  std::vector<std::string> servers_;
  std::function<void()> attempt_;
  Failover failover_;
  Reconnect reconnect_;
  Outage outage_;
  RandomEngine random_;
  Timer timer_;
  bool connected_ = false;
};

}  // namespace netkit
