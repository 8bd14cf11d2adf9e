// Messages to all sessions of a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include <netkit/datagram/server.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// Messages that are packed together, encoded once for all receivers, and given to the sessions by
// flush(). With numbers, the last of them are kept for newcomers and those who come back. A message
// may be cut between two datagrams, so flush() one channel before another of the same server, or
// Server::send(), has its turn. [one thread]
class NETKIT_API Channel {
 public:
  struct Options {
    bool numbered = true;
    std::size_t keep = 0;  // messages; whole datagrams are kept, so a few more
    std::size_t keep_bytes = 64u << 20;
  };
  // `server` must outlive it, or be destroyed with it.
  Channel(Server& server, const Options& options);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // False, and nothing happens, when it is longer than the server's Options::max_message. May be
  // empty.
  bool append(std::string_view message);
  std::size_t pending_messages() const;  // since the last flush()
  std::size_t pending_bytes() const;
  bool empty() const { return pending_messages() == 0; }
  // Gives what was appended to all sessions but `except`. O(sessions), some ten ns for each.
  void flush(SessionRef except = {});
  // Gives it to these alone.
  void flush_to(std::span<const SessionRef> sessions);

  // Numbers begin with 1. What next append() gets; without numbers 0.
  std::uint64_t next_record() const;
  // Numbers continue with a higher one, where somebody else assigns them: who gets what comes next
  // takes those left out for lost. Nothing may be pending.
  void go_on_with(std::uint64_t record);
  std::uint64_t first_kept() const;  // the oldest that is whole; 0: nothing is kept
  std::uint64_t last_kept() const;
  // Message `record` and all after it that were flushed; everything if it is older than what is
  // kept. Older ones may come with the first, which a client ignores that was told where to begin
  // (Client::expect_record). False when the session is over or finishing.
  bool send_since(SessionRef session, std::uint64_t record);
  // Visits the messages from number `record` on that are kept, the oldest first; what waits for
  // flush() is not among them. Views are valid during the call.
  using Visit = std::function<void(std::uint64_t record, std::string_view message)>;
  void for_each_kept(std::uint64_t record, const Visit& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::datagram
