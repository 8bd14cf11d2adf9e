// A client's subscription in either dialect, across reconnects. Pure: datagrams and times go in,
// datagrams and records come out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/link.hpp>
#include <netkit/datagram/options.hpp>
#include <netkit/util/error.hpp>

namespace netkit::push {

// Where a client's stream continues: kept from one attempt to the next.
struct Position {
  std::uint64_t stream = 0;           // the server's run; 0: not known yet
  std::uint64_t next = 0;             // the record that is wanted next; 0: from now on
  std::vector<std::string> topics{};  // what is wanted of the records; empty: all, without topics
};

class Subscription : public datagram::Driver::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_subscribed() = 0;
    // The server was started anew: its numbers have nothing to do with those before.
    virtual void on_new_stream(std::uint64_t first) = 0;
    virtual void on_alive() = 0;  // the server has been heard
    virtual void on_record(std::uint64_t seq, std::string_view topic,
                           std::string_view text) = 0;  // 0: no number
    // With topics: all that was kept has come.
    virtual void on_caught_up() {}
    virtual void on_gap(std::uint64_t from, std::uint64_t to) = 0;
    virtual void on_ended() = 0;  // the server's source has ended and all has arrived
    // The subscription is over. begin() makes sense if loss.again; otherwise the rest says how to
    // end.
    virtual void on_lost(const datagram::Loss& loss) = 0;
  };

  // The server can be reached.
  virtual void begin(TimePoint now) = 0;
  // Tells the server, as far as the dialect can; one more drain() sends that.
  virtual void leave(TimePoint now) = 0;
  // Holds what arrives until resume(), as far as the dialect can. Both may be called from within
  // the handler.
  virtual void pause() {}
  virtual void resume(TimePoint now) { (void)now; }
  virtual const datagram::Counters& counters() const = 0;
  // The stream that the numbers belong to; 0: not known.
  virtual std::uint64_t stream() const { return 0; }
};

// `handler` outlives what is made.
std::unique_ptr<Subscription> make_native_subscription(const std::string& name,
                                                       const datagram::Options& options,
                                                       const Position& position,
                                                       Subscription::Handler& handler);
// The name, and every 10 s again; whatever comes is a record.
std::unique_ptr<Subscription> make_plain_subscription(const std::string& name,
                                                      Subscription::Handler& handler);

}  // namespace netkit::push
