target_sources(netkit-core PRIVATE
  src/loop/event_loop.cpp
  src/loop/process.cpp
  src/loop/spin_policy.cpp
  src/loop/timer_queue.cpp
  src/loop/watch_table.cpp
  src/loop/worker_loops.cpp
)
