// Further loops on separate threads, for servers with `--threads N`: N loops that share nothing.
#pragma once

#include <functional>
#include <memory>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class NETKIT_API WorkerLoops {
 public:
  // Starts `count` named threads (`netkit/1`, ...). On each, `set_up(loop, index)` (index from 1)
  // runs before its loop; what it returns is kept until the loop has ended and is destroyed on that
  // thread. Called on the main loop's thread; returns when all are set up, and throws what a set_up
  // threw, after all others have been stopped.
  WorkerLoops(const Clock& clock, unsigned count,
              std::function<std::shared_ptr<void>(EventLoop& loop, unsigned index)> set_up);
  // Stops and joins all.
  ~WorkerLoops();
  WorkerLoops(const WorkerLoops&) = delete;
  WorkerLoops& operator=(const WorkerLoops&) = delete;

  // Runs `work(index)` on each worker's thread and waits for all. Main thread, while the workers
  // run.
  void run_on_each(const std::function<void(unsigned index)>& work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
