// Native subscribers by topic, and what is kept for them.
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
#include <unordered_map>
#include <vector>

#include <netkit/datagram/channel.hpp>
#include <netkit/datagram/server.hpp>

namespace netkit::push {

// Each gets the records of its topics with their numbers in them, since the gaps between them are
// not losses. A record is encoded once, and packed once for all that chose the same topics. The
// channel for everybody keeps the records, and this keeps their topics. Pure. [one thread]
class TopicReaders {
 public:
  struct Options {
    std::size_t keep = 1000;
    bool last = false;  // newcomers get the newest record of each topic
  };
  // `server` and `all`, which has every record as its text, must outlive it.
  TopicReaders(datagram::Server& server, const datagram::Channel& all, const Options& options)
      : server_(server), all_(all), options_(options) {}

  // One record for those who have chosen its topic, with the next flush(); before it is appended to
  // the channel for all.
  void publish(std::uint64_t number, std::string_view topic, std::string_view text);
  // Records that will never come, for all of them.
  void lose(std::uint64_t from, std::uint64_t to);
  void flush();
  bool empty() const { return groups_.empty(); }

  // A reader, who gets what it asks for of what is kept, then that it has caught up; `next` is the
  // number of the next record. The channel for all is flushed. Returns where its records begin.
  std::uint64_t add(datagram::SessionRef session, const std::vector<std::string>& topics,
                    std::uint64_t since, std::uint64_t next);
  void remove(datagram::SessionRef session);
  // The newest record of a topic, from elsewhere: a store has kept it.
  void remember(std::uint64_t number, std::string_view topic, std::string_view text);

 private:
  struct Newest {
    std::uint64_t number = 0;
    std::string message{};  // as it is sent
  };
  // A topic, and the first of the records one after the other that have it.
  struct Run {
    std::uint64_t number = 0;
    std::string topic{};
  };
  struct Group {
    std::vector<std::string> topics;
    std::unique_ptr<datagram::Channel> channel;
    std::vector<datagram::SessionRef> sessions;
  };

  std::string_view said(std::uint64_t number, std::string_view topic, std::string_view text);
  void begin_run(std::uint64_t number, std::string_view topic);
  void replay(const std::vector<std::string>& topics, std::uint64_t first,
              std::vector<std::string>& messages);
  Group& group_of(const std::vector<std::string>& topics);
  std::vector<std::string> newest_of(const Group& group) const;

  datagram::Server& server_;
  const datagram::Channel& all_;
  Options options_;
  std::map<std::vector<std::string>, Group> groups_;
  std::unordered_map<std::uint32_t, Group*> group_by_session_;  // its index
  std::deque<Run> runs_;                                        // of what is kept
  std::map<std::string, Newest, std::less<>> last_;
  std::string message_;
};

}  // namespace netkit::push
