// Notices that another process has written to a database.
#pragma once

#include <functional>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/file.hpp>

namespace netkit::sqlite {

// [loop] Another process's transaction is seen in the write-ahead log before it can be read: `look`
// is called soon after a write and a few times more, less and less often. No wake-ups while nobody
// writes; where the kernel cannot watch the file, twenty a second.
class FileWatch {
 public:
  // `log` is the write-ahead log, which must exist.
  FileWatch(EventLoop& loop, const std::string& log, std::function<void()> look);

 private:
  void on_write();
  void look_again(Duration delay);

  EventLoop& loop_;
  std::function<void()> look_;
  FileDescriptor inotify_;
  Watch watch_;
  Timer timer_;
};

}  // namespace netkit::sqlite
