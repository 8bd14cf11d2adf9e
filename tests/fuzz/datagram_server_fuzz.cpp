// A server that is fed arbitrary datagrams. Input: records of a length byte, an operation byte and
// so many bytes. The operation's low bits choose the address, bit 4 says that the bytes belong in a
// session that is there (its id is put into bytes 4 to 11), bits 5 to 7 let time pass.
#include "datagram/wire.hpp"
#include "fuzz/script.hpp"

#include <cstdlib>
#include <string>

#include <netkit/datagram/server.hpp>

namespace {

using namespace netkit::datagram;  // NOLINT(google-build-using-namespace)
using netkit::Endpoint;
using netkit::TimePoint;

class Echo final : public Server::Handler {
 public:
  Verdict on_connect(SessionRef, const Endpoint&, std::string_view payload) override {
    return payload.starts_with("no") ? Verdict::reject(RejectCode::taken, "no") : Verdict::accept();
  }
  void on_message(SessionRef session, std::uint64_t, std::string_view text) override {
    if (text == "close") server->close(session, "");
    server->send(session, text);
  }
  void on_left(SessionRef, LeftReason, std::string_view) override {}
  Server* server = nullptr;
};

struct Run {
  Run() : server(options(), netkit::fuzz::Dice(), echo) { echo.server = &server; }
  static Options options() {
    Options some;
    some.max_sessions = 8;
    some.max_message = 4096;
    some.remember_ended = 4;
    return some;
  }
  static Endpoint peer(unsigned i) {
    return Endpoint(*netkit::IpAddress::parse("10.0.0.1"), static_cast<std::uint16_t>(1000 + i));
  }

  void feed(unsigned from, std::string_view datagram) {
    server.on_datagram(peer(from), datagram, now);
    collect();
  }
  void collect() {
    OutputQueue queue;
    server.drain(queue, now);
    for (const auto& item : queue.items()) {
      if (item.size() > kMaxDatagram) std::abort();
      if (classify(std::string(item.head) + std::string(item.body)) != Class::known) std::abort();
      if (type_of(item.head) == Type::cookie) cookie = decode_cookie(item.head)->cookie;
      if (type_of(item.head) == Type::accept) session = decode_accept(item.head)->session;
    }
  }
  // A session for peer 0, so that what follows can reach into one.
  void connect() {
    std::string bytes;
    encode(Hello{1}, bytes);
    feed(0, bytes);
    encode(Connect{1, cookie, 5, 64, "ann"}, bytes);
    feed(0, bytes);
  }

  Echo echo;
  Server server;
  TimePoint now{std::chrono::hours(1)};
  Cookie cookie{};
  std::uint64_t session = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Run run;
  run.connect();
  std::size_t at = 0;
  while (at + 2 <= size) {
    const std::size_t length = std::min<std::size_t>(data[at], size - at - 2);
    const unsigned operation = data[at + 1];
    std::string datagram(reinterpret_cast<const char*>(data + at + 2), length);
    at += 2 + length;
    if ((operation & 0x10) != 0 && datagram.size() >= 12) {
      for (std::size_t i = 0; i < 8; ++i) {
        datagram[4 + i] = static_cast<char>(run.session >> (56 - 8 * i));
      }
    }
    run.now += std::chrono::milliseconds((operation >> 5) * (operation >> 5) * 20);
    run.server.tick(run.now);
    run.feed(operation & 3, datagram);
    if (run.server.size() > 8) std::abort();
  }
  // It must come to rest by itself.
  for (int i = 0; i < 100000 && run.server.next_deadline() != TimePoint::max(); ++i) {
    run.now = std::max(run.now, run.server.next_deadline());
    run.server.tick(run.now);
    run.collect();
  }
  if (run.server.size() != 0) std::abort();
  return 0;
}
