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

// Messages that are packed together, encoded once for all receivers, and passed to the sessions by
// flush(). With numbers, the newest are kept for newcomers and for clients that come back. A
// message may be split between two datagrams, so flush() a channel before using another one of the
// same server, or Server::send(). [one thread]
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
  // Passes what was appended to all sessions but `except`. O(sessions), about ten ns for each.
  void flush(SessionRef except = {});
  // Passes it to these sessions only.
  void flush_to(std::span<const SessionRef> sessions);

  // The number of the next append(), from 1; 0 without numbers.
  std::uint64_t next_record() const;
  // Continues with a higher number, where numbers are assigned elsewhere: receivers take those left
  // out for lost. Nothing may be pending.
  void go_on_with(std::uint64_t record);
  std::uint64_t first_kept() const;  // the oldest complete one; 0: nothing is kept
  std::uint64_t last_kept() const;
  // Sends message `record` and all flushed ones after it; everything that is kept if it is older.
  // Older ones may come along with the first; a client that was told where to begin
  // (Client::expect_record) ignores them. False if the session is over or finishing.
  bool send_since(SessionRef session, std::uint64_t record);
  // Visits the kept messages from number `record` on, the oldest first, without those that wait for
  // flush(). Views are valid during the call.
  using Visit = std::function<void(std::uint64_t record, std::string_view message)>;
  void for_each_kept(std::uint64_t record, const Visit& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit::datagram
