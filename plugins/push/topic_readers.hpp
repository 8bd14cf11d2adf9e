// Native subscribers who choose by topic, and what is kept for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <push/payload.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/datagram/channel.hpp>
#include <netkit/datagram/server.hpp>

namespace netkit::push {

// Each gets the records of its topics with their numbers in them, as those between are none that it
// has lost. A record is encoded once, and packed once for all who have chosen alike. Pure.
// [one thread]
class TopicReaders {
 public:
  struct Options {
    std::size_t keep = 1000;
    std::size_t keep_bytes = 16u << 20;
    bool last = false;  // newcomers get the newest record of each topic
  };
  // `server` must outlive it.
  TopicReaders(datagram::Server& server, const Options& options)
      : server_(server), options_(options) {}

  // One record for those who have chosen its topic, with the next flush().
  void publish(std::uint64_t number, std::string_view topic, std::string_view text);
  // Records that will never come, for all of them.
  void lose(std::uint64_t from, std::uint64_t to);
  void flush();
  bool empty() const { return groups_.empty(); }

  // A reader, who gets what it asks for of what is kept, then that it has caught up; `next` is the
  // number of the next record. Returns where its records begin.
  std::uint64_t add(datagram::SessionRef session, const std::vector<std::string>& topics,
                    std::uint64_t since, std::uint64_t next);
  void remove(datagram::SessionRef session);
  // The newest record of a topic, from elsewhere: a store has kept it.
  void remember(std::uint64_t number, std::string_view topic, std::string_view text);

 private:
  struct Kept {
    std::uint64_t number = 0;
    std::string topic{};
    std::string message{};  // as it is sent
    bool for_all = false;   // whatever they have chosen
  };
  struct Group {
    std::vector<std::string> topics;
    std::unique_ptr<datagram::Channel> channel;
    std::vector<datagram::SessionRef> sessions;
  };

  void keep(Kept kept);
  Group& group_of(const std::vector<std::string>& topics);
  std::vector<std::string> newest_of(const Group& group) const;

  datagram::Server& server_;
  Options options_;
  std::map<std::vector<std::string>, Group> groups_;
  std::deque<Kept> kept_;
  Kept spare_;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;  // the newest number that is not kept any more
  std::map<std::string, Kept, std::less<>> last_;
};

}  // namespace netkit::push
