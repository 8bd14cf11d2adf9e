// The event loop: one thread, level-triggered epoll. Everything in it is called on that thread but
// for post() and stop(), which any thread may call. Callbacks must not throw, but for what
// on_out_of_memory() says.
//
// Rules that callers can rely on:
// - A callback runs only while its registration lives: once a Watch, Timer or Hook is destroyed or
//   reset, its callback does not run again, not even for an event that was already fetched for the
//   same descriptor number.
// - Registrations may be made, changed and destroyed in any callback, the running one's own
// included.
// - HUP and ERR wake any interest in reading or writing; with no interest the descriptor is not
// watched at all.
// - A regular file, which epoll refuses, is always ready.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <span>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class EventLoop;

enum class Interest : std::uint8_t {
  none = 0,
  read = 1,
  write = 2,
  both = 3,
  failure = 4,  // HUP and ERR alone; not for regular files
};

// What a descriptor is ready for. HUP and ERR are also reported as `readable` or `writable`,
// whichever is watched; for Interest::failure as neither.
struct Ready {
  bool readable = false;
  bool writable = false;
  bool hangup = false;
  bool error = false;
};

// The registration of a descriptor; destroying it ends the watch and does not close the descriptor,
// which must be destroyed after its Watch. Move-only.
class NETKIT_API Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept;
  Watch& operator=(Watch&& other) noexcept;
  ~Watch();
  void set(Interest interest);  // a no-op when nothing changes
  Interest interest() const;
  void reset();
  explicit operator bool() const { return loop_ != nullptr; }

 private:
  friend class EventLoop;
  Watch(EventLoop* loop, std::uint32_t slot, std::uint32_t generation)
      : loop_(loop), slot_(slot), generation_(generation) {}
  EventLoop* loop_ = nullptr;
  std::uint32_t slot_ = 0;
  std::uint32_t generation_ = 0;
};

// A timer; destroying it cancels it. Move-only.
class NETKIT_API Timer {
 public:
  Timer() = default;
  Timer(Timer&& other) noexcept;
  Timer& operator=(Timer&& other) noexcept;
  ~Timer();
  void reset();  // cancels
  bool pending() const;

 private:
  friend class EventLoop;
  Timer(EventLoop* loop, std::uint64_t id) : loop_(loop), id_(id) {}
  EventLoop* loop_ = nullptr;
  std::uint64_t id_ = 0;
};

// A function that the loop calls at a certain point of every turn, or for a signal; destroying it
// ends that. Move-only.
class NETKIT_API Hook {
 public:
  Hook() = default;
  Hook(Hook&& other) noexcept;
  Hook& operator=(Hook&& other) noexcept;
  ~Hook();
  void reset();

 private:
  friend class EventLoop;
  Hook(EventLoop* loop, std::uint64_t id) : loop_(loop), id_(id) {}
  EventLoop* loop_ = nullptr;
  std::uint64_t id_ = 0;
};

struct LoopCounters {
  std::uint64_t wakeups = 0;  // returns from a blocking wait
  std::uint64_t events = 0;
  std::uint64_t timers = 0;
  std::uint64_t out_of_memory = 0;  // callbacks that ended for lack of memory
};

class NETKIT_API EventLoop {
 public:
  using Callback = std::function<void()>;

  // `clock` must outlive the loop. Throws SystemError when the kernel refuses epoll or eventfd.
  explicit EventLoop(const Clock& clock);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Watches `fd`, which stays the caller's and must outlive the Watch. Throws SystemError when
  // epoll refuses it for another reason than being a regular file.
  [[nodiscard]] Watch watch(int fd, Interest interest, std::function<void(Ready)> callback);

  // Calls back once, `delay` after now(); never when it is kNever. O(log n). Timers due together
  // run in the order of their due times, then of their making.
  [[nodiscard]] Timer after(Duration delay, Callback callback);
  [[nodiscard]] Timer at(TimePoint due, Callback callback);
  // Calls back every `period` (> 0), the first time after one period; a turn that comes late does
  // not make up for what it missed.
  [[nodiscard]] Timer every(Duration period, Callback callback);

  // Runs `callback` on the loop's thread, soon. Any thread, which is true only of this and of
  // stop().
  void post(Callback callback);
  // Runs `callback` after the callbacks of this turn: the place to destroy the object whose
  // callback is running.
  void defer(Callback callback);
  // Takes ownership of `object` and destroys it after the callbacks of this turn.
  // Without memory for that it is leaked rather than destroyed while its callback runs.
  template <typename T>
  void destroy_later(std::unique_ptr<T> object) {
    try {
      const auto holder = std::make_shared<std::unique_ptr<T>>();
      defer([holder] {});
      *holder = std::move(object);
    } catch (const std::bad_alloc&) {
      static_cast<void>(object.release());
      out_of_memory();
    }
  }
  // Calls back at the end of every turn, before the loop waits: where buffered output is flushed.
  [[nodiscard]] Hook before_wait(Callback callback);
  // Calls back for a signal, which is blocked in the calling thread and read by signalfd. Threads
  // made later inherit the mask; children must have it reset (loop/process.hpp does). One callback
  // per signal at a time.
  [[nodiscard]] Hook on_signal(int signo, Callback callback);

  // Polls up to this long without blocking before each blocking wait; 0 (the default) never.
  // Callers turn it on while traffic is dense and off when it is not, so that an idle program makes
  // no wake-ups.
  void set_spin(Duration spin);

  // Lets a server survive a failed allocation: a callback that ends by std::bad_alloc is counted,
  // `callback` is called, and the loop continues. Without it the exception leaves run(). The owner
  // of what the failed callback was working on drops it, as it may be half done.
  void on_out_of_memory(Callback callback);
  // Counts and calls it, for code that has caught and handled one itself.
  void out_of_memory();

  // Runs until stop(). May be called again afterwards.
  void run();
  // Runs one turn: waits at most `timeout`, then calls what is ready. For tests and for embedding.
  void run_once(Duration timeout);
  // Ends run() after the current turn. Any thread; the loop must outlive the call.
  void stop();

  // The time at the start of this turn; refreshed by every wait.
  TimePoint now() const;
  // Reads the clock again, for the rest of this turn: for timing within work that takes long, which
  // must not seem to happen at the start of the turn.
  TimePoint refresh_now();
  const Clock& clock() const;
  // 256 KiB that any callback may use until it returns: one read buffer for all streams of the
  // loop.
  std::span<char> read_buffer();
  const LoopCounters& counters() const;

 private:
  friend class Watch;
  friend class Timer;
  friend class Hook;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
