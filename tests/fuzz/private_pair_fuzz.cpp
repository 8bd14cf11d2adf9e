// A server with keys and a client with one, over a wire whose every decision is a byte of the
// input: pass, lose, double, change a byte, say something of one's own from here or elsewhere,
// move, revoke the key and give it back. Nothing reaches either side that the other has not said,
// nor the server while the key is revoked, and nobody unproved is kept for long.
#include "fuzz/fuzz_check.hpp"
#include "fuzz/script.hpp"

#include <set>
#include <string>
#include <utility>

#include <netkit/datagram/private_client.hpp>
#include <netkit/datagram/private_server.hpp>

namespace {

using namespace netkit::datagram;      // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;  // NOLINT(google-build-using-namespace)
using netkit::Endpoint;
using netkit::TimePoint;

// Says a number now and then, and looks at what comes.
class Side final : public Driver::Handler {
 public:
  void on_datagram(const Path& from, std::string_view datagram, TimePoint) override {
    FUZZ_CHECK(!deaf && peer->said.contains(std::string(datagram)));
    to = from;
  }
  void tick(TimePoint) override {}
  TimePoint next_deadline() const override { return TimePoint::max(); }
  bool drain(OutputQueue& queue, TimePoint) override {
    if (!speaks) return false;
    speaks = false;
    std::string text = std::to_string(said.size());
    queue.add(to, text);
    said.insert(std::move(text));
    return false;
  }

  Side* peer = nullptr;
  std::set<std::string> said;
  Path to;
  bool speaks = false;
  bool deaf = false;  // nothing may come
};

class Pair final : private PrivateServer::Handler, private PrivateClient::Handler {
 public:
  explicit Pair(netkit::fuzz::Script script)
      : script_(script),
        gate_(options(), netkit::fuzz::Dice(), server_,
              static_cast<PrivateServer::Handler&>(*this)),
        client_gate_(identity(), {}, client_, static_cast<PrivateClient::Handler&>(*this)) {
    server_.peer = &client_;
    client_.peer = &server_;
  }

  void run() {
    client_gate_.begin(now_);
    for (int steps = 0; steps < 400 && !script_.done(); ++steps) step();
    for (int silent = 0; silent < 3; ++silent) {
      now_ += 100s;
      gate_.tick(now_);
    }
    FUZZ_CHECK(gate_.peers() == 0);
  }

 private:
  static netkit::PskKeys keys(char digit = '1') {
    return netkit::PskKeys::parse("ann:" + std::string(64, digit), "keys");
  }
  static PrivateServer::Options options() {
    PrivateServer::Options made;
    made.keys = keys();
    made.max_peers = 8;
    made.max_handshakes = 4;
    made.plain = false;
    return made;
  }
  static netkit::PskIdentity identity() { return netkit::choose_identity(keys(), "ann", "keys"); }
  static Endpoint address(std::uint16_t port) {
    return {*netkit::IpAddress::parse("10.0.0.1"), port};
  }
  void on_refused(const Endpoint&, std::string_view) override {}
  void on_revoked(std::uint32_t) override {}
  void on_not_secured(const Loss&) override { client_gate_.begin(now_); }

  void step() {
    const std::uint8_t what = script_.byte();
    client_.speaks = (what & 1) != 0;
    server_.speaks = (what & 2) != 0 && server_.to.owner != 0;
    if ((what & 4) != 0) now_ += 10ms * (what >> 3);
    if (what == 0xF0) port_ = static_cast<std::uint16_t>(1000 + script_.byte());
    if (what == 0xF1) gate_.on_datagram(address(port_), script_.text(), now_);
    if (what == 0xF2) gate_.on_datagram(address(9), script_.text(), now_);
    if (what == 0xF3) client_gate_.on_datagram(address(1), script_.text(), now_);
    if (what == 0xF4) {
      server_.deaf = !server_.deaf;
      gate_.set_keys(keys(server_.deaf ? '2' : '1'));
    }
    gate_.tick(now_);
    client_gate_.tick(now_);
    OutputQueue queue;
    client_gate_.drain(queue, now_);
    for (const auto& item : queue.items()) carry(item, true);
    OutputQueue answers;
    gate_.drain(answers, now_);
    for (const auto& item : answers.items()) {
      if (item.to->peer == address(port_)) carry(item, false);
    }
  }

  void carry(const OutputQueue::Item& item, bool to_server) {
    FUZZ_CHECK(item.size() <= kMaxDatagram);
    std::string bytes = std::string(item.head) + std::string(item.body);
    const std::uint8_t fate = script_.byte();
    if ((fate & 7) == 1) return;
    if ((fate & 7) == 2) bytes[script_.byte() % bytes.size()] ^= static_cast<char>(script_.byte());
    for (int copies = (fate & 7) == 3 ? 2 : 1; copies > 0; --copies) {
      if (to_server) {
        gate_.on_datagram(address(port_), bytes, now_);
      } else {
        client_gate_.on_datagram(address(1), bytes, now_);
      }
    }
  }

  netkit::fuzz::Script script_;
  std::uint16_t port_ = 1000;
  TimePoint now_{std::chrono::hours(1)};
  Side server_;
  Side client_;
  PrivateServer gate_;
  PrivateClient client_gate_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2000) return 0;
  Pair(netkit::fuzz::Script(data, size)).run();
  return 0;
}
