// The subscribers, by name, by plain address and by native session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <netkit/datagram/server.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::push {

struct Subscriber {
  std::string_view name;  // the table's
  Endpoint address;
  datagram::SessionRef session;             // none: a plain subscriber
  bool by_topic = false;                    // it is one of TopicReaders
  std::uint64_t control = 0;                // the control connection that holds it; 0: none
  TimePoint since;                          // when it came
  std::uint64_t records_then = 0;           // what had been published by then
  std::uint64_t lost = 0;                   // records that could not be sent to it
  TimePoint full_since = TimePoint::max();  // max: it keeps up
  std::uint64_t number = 0;                 // the table's: later ones have greater numbers
  std::uint32_t plain_index = 0;            // the table's

  bool plain() const { return !session; }
};

// Names are unique, and so are the addresses of plain subscribers. Pure. [one thread] References
// hold until their subscriber is removed. All but the walks is O(1).
class SubscriberTable {
 public:
  Subscriber* find_name(std::string_view name);
  Subscriber* find_plain(const Endpoint& address);
  Subscriber* find_session(datagram::SessionRef session);

  // Neither the name nor the plain address may be in use.
  Subscriber& add(std::string_view name, const datagram::Path& path, datagram::SessionRef session);
  void remove(Subscriber& subscriber);

  // Where plain records go, without gaps, in no order; valid until the next add() or remove().
  std::span<const datagram::Path> plain_paths() const { return plain_; }
  std::size_t size() const { return by_name_.size(); }

  template <typename Visit>
  void for_each(Visit&& visit) {
    for (auto& [name, subscriber] : by_name_) visit(subscriber);
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [name, subscriber] : by_name_) visit(subscriber);
  }

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };
  std::unordered_map<std::string, Subscriber, NameHash, std::equal_to<>> by_name_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<Endpoint, Subscriber*> by_address_;  // plain ones
  std::vector<Subscriber*> by_session_;                   // by the session's index
  std::vector<datagram::Path> plain_;
  std::vector<Subscriber*> plain_owner_;  // of the address at the same place
};

}  // namespace netkit::push
