// A hub that is fed arbitrary datagrams and orders. Input: records of a length byte, an operation
// byte and so many bytes; the operation's low bits choose the address, the high ones what happens.
#include "fuzz/script.hpp"

#include <cstdlib>
#include <push/hub.hpp>
#include <string>
#include <string_view>

namespace {

using namespace netkit::push;  // NOLINT(google-build-using-namespace)
using netkit::Endpoint;
using netkit::TimePoint;

class Quiet final : public Hub::Handler {
 public:
  void on_subscribed(const Subscriber& subscriber) override { check(subscriber); }
  void on_unsubscribed(const Subscriber& subscriber, std::string_view, std::uint64_t) override {
    check(subscriber);
  }
  void on_full(const Endpoint&, std::string_view) override {}
  const netkit::AnswerPolicy& policy() const override { return policy_; }

 private:
  netkit::AnswerPolicy policy_ = netkit::fuzz::open_policy();
  static void check(const Subscriber& subscriber) {
    if (subscriber.name.empty() || subscriber.name.size() > kMaxName) std::abort();
  }
};

Endpoint peer(unsigned number) {
  return {*netkit::IpAddress::parse("10.0.0.1"), static_cast<std::uint16_t>(1000 + number)};
}

void check(const Hub& hub, std::size_t limit, TimePoint now) {
  std::size_t rows = 0;
  hub.for_each_row(now, [&](const RosterRow&) { ++rows; });
  if (rows != hub.size() || rows > limit) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Hub::Options options;
  options.max_subscribers = 4;
  options.last = true;
  options.protocol.keep = 4;
  Quiet events;
  Hub hub(options, netkit::fuzz::Dice(), events);
  TimePoint now{std::chrono::hours(1)};
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  while (rest.size() >= 2) {
    const auto length = static_cast<unsigned char>(rest[0]);
    const auto operation = static_cast<unsigned char>(rest[1]);
    const std::string_view bytes = rest.substr(2, length);
    rest.remove_prefix(2 + bytes.size());
    const Endpoint from = peer(operation & 7u);
    now += std::chrono::milliseconds(operation);
    switch (operation >> 4) {
      case 0:
        hub.publish(bytes);
        break;
      case 1:
        hub.subscribe(bytes, from, 1, now);
        break;
      case 2:
        hub.unsubscribe(bytes);
        break;
      case 3:
        hub.release(bytes, 1);
        break;
      case 4:
        hub.on_unreachable(from);
        break;
      case 5:
        hub.hold_until(now);
        break;
      default:
        hub.on_datagram(from, bytes, now);
    }
    hub.tick(now);
    netkit::datagram::OutputQueue queue;
    hub.drain(queue, now);
    check(hub, options.max_subscribers, now);
  }
  hub.close();
  return 0;
}
