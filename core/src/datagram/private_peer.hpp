// One peer of a PrivateServer: its handshake, and its records once it has proved who it is.
#pragma once

#include "datagram/dtls_records.hpp"
#include "datagram/dtls_wire.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <netkit/datagram/output_queue.hpp>
#include <netkit/tls/dtls.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// When a flight without an answer is to be repeated: OpenSSL's own timeout, a second and then two,
// is too long for somebody who waits at a prompt on a lossy path.
class FlightTimer {
 public:
  void start(TimePoint now) {
    pause_ = kFirst;
    due_ = now + pause_;
  }
  void again(TimePoint now) {
    pause_ = std::min<Duration>(2 * pause_, kLongest);
    due_ = now + pause_;
  }
  void stop() { due_ = TimePoint::max(); }
  TimePoint due() const { return due_; }

 private:
  static constexpr Duration kFirst = std::chrono::milliseconds(200);
  static constexpr Duration kLongest = std::chrono::milliseconds(800);
  Duration pause_ = kFirst;
  TimePoint due_ = TimePoint::max();
};

struct PrivatePeer {
  struct Shaking {
    std::unique_ptr<DtlsHandshake> handshake;
    ClientRandom random{};
    std::uint64_t first = 0;               // number of its records in clear
    std::unique_ptr<DtlsRecords> records;  // once it is done: until the client is known to have it
    FlightTimer flight;
    TimePoint give_up{};
    unsigned begun = 1;          // handshakes in its place, of which none has ended
    unsigned not_authentic = 0;  // last flights that were not encrypted by our key
  };
  Path path;
  std::unique_ptr<Shaking> shaking;
  std::unique_ptr<DtlsRecords> records;  // null: it has proved nothing yet
  ClientRandom random{};                 // of the handshake that `records` are of
  TimePoint heard{};                     // something authentic
  bool leaving = false;                  // until what is said to it has gone out
};

}  // namespace netkit::datagram
