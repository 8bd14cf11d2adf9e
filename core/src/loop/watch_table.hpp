// The descriptors that one event loop watches.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <sys/epoll.h>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// [loop] A slot per watch. The slot's number and generation travel through epoll, so that an event
// for a watch that has ended is dropped without a look-up. A watch that ended keeps its function
// until release_ended(), because it may be the one that is running.
class WatchTable {
 public:
  WatchTable();  // throws SystemError
  int epoll_fd() const { return epoll_.get(); }

  struct Handle {
    std::uint32_t slot;
    std::uint32_t generation;
  };
  Handle add(int fd, Interest interest, std::function<void(Ready)> callback);
  void set(std::uint32_t slot, std::uint32_t generation, Interest interest);
  Interest interest(std::uint32_t slot, std::uint32_t generation) const;
  void end(std::uint32_t slot, std::uint32_t generation);

  void dispatch(const epoll_event& event);
  // Calls those that epoll cannot watch because they are always ready: regular files.
  void dispatch_always_ready();
  bool has_always_ready() const;
  void release_ended();
  // Ends all watches and releases their functions, which may own what ends further watches.
  void clear();

 private:
  struct Slot {
    std::function<void(Ready)> callback;
    int fd = -1;
    std::uint32_t generation = 0;
    Interest interest = Interest::none;
    bool used = false;
    bool in_epoll = false;
    bool always_ready = false;
  };

  bool current(std::uint32_t slot, std::uint32_t generation) const;
  void change(std::uint32_t index, Interest interest);

  FileDescriptor epoll_;
  std::deque<Slot> slots_;  // stable addresses while callbacks run
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> ended_;
  std::vector<Handle> always_ready_;
};

}  // namespace netkit
