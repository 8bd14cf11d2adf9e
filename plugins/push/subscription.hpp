// One attempt of a client to subscribe, in either dialect.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/exit_status.hpp>

namespace netkit::push {

// Where a client's stream goes on: kept from one attempt to the next.
struct Position {
  std::uint64_t stream = 0;  // the server's run; 0: not known yet
  std::uint64_t next = 0;    // the record that is wanted next; 0: from now on
};

// [loop] Destroying it ends the subscription without a word; not from within its handler.
class Subscription {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_subscribed() = 0;
    // The server was started anew: its numbers have nothing to do with those before.
    virtual void on_new_stream(std::uint64_t first) = 0;
    virtual void on_alive() = 0;  // the server has been heard
    virtual void on_record(std::uint64_t seq, std::string_view text) = 0;  // 0: no number
    virtual void on_gap(std::uint64_t from, std::uint64_t to) = 0;
    virtual void on_ended() = 0;  // the server's source has ended and all has arrived
    // The subscription is over. Trying again makes sense where `again`; if it is not tried,
    // `status` says how to end.
    virtual void on_lost(const std::string& why, bool again, ExitStatus status) = 0;
  };
  virtual ~Subscription() = default;
  // Tells the server, as far as the dialect can.
  virtual void leave() = 0;
  // Holds what arrives until resume(), as far as the dialect can. Both may be called from within
  // the handler.
  virtual void pause() {}
  virtual void resume() {}
  virtual std::uint64_t retransmitted() const { return 0; }
  virtual std::uint64_t duplicates() const { return 0; }
};

}  // namespace netkit::push
