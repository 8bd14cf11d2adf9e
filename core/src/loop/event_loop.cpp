#include "loop/timer_queue.hpp"
#include "loop/watch_table.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::size_t kReadBufferSize = std::size_t{256} * 1024;
constexpr std::size_t kPage = 4096;
constexpr std::size_t kEventsPerTurn = 256;

struct Freed {
  void operator()(char* memory) const { std::free(memory); }
};

// At the beginning of a page: the kernel copies three times slower to an address that is a few
// bytes further into its page than what is copied, as all of what malloc() maps is.
std::unique_ptr<char, Freed> make_read_buffer() {
  std::unique_ptr<char, Freed> buffer(
      static_cast<char*>(std::aligned_alloc(kPage, kReadBufferSize)));
  if (!buffer) throw std::bad_alloc();
  return buffer;
}

struct NamedCallback {
  std::uint64_t id = 0;
  int signo = 0;  // 0: before every wait
  std::shared_ptr<EventLoop::Callback> callback;
};

}  // namespace

struct EventLoop::Impl {
  Impl(EventLoop& owner, const Clock& time);
  ~Impl();

  void run_once(Duration timeout);
  int wait(Duration timeout);
  int poll_without_blocking();
  Duration time_to_wait(Duration timeout);
  int wait_in_milliseconds(Duration timeout);
  std::vector<Callback> take_posted();
  void run_posted();
  void run_deferred();
  template <typename Call>
  void for_each_hook(int signo, Call&& call);
  void run_hooks();
  void run_signals();
  template <typename Call>
  void guarded(Call&& call);
  void count_out_of_memory();
  std::uint64_t add_hook(int signo, Callback callback);
  void remove_hook(std::uint64_t id);
  void update_signals(int signo, bool add);
  void wake() const;

  const Clock& clock;
  WatchTable watches;
  TimerQueue timers;
  FileDescriptor event_fd;
  FileDescriptor signal_fd;
  Watch event_watch;
  Watch signal_watch;
  sigset_t signals{};
  EventLoop& loop;

  std::mutex post_mutex;
  std::vector<Callback> posted;  // under post_mutex
  std::atomic<bool> stop_requested{false};

  std::vector<Callback> deferred;
  Callback on_out_of_memory;  // empty: the exception leaves run()
  std::vector<NamedCallback> hooks;
  std::uint64_t next_hook_id = 1;
  std::array<epoll_event, kEventsPerTurn> events{};
  std::unique_ptr<char, Freed> read_buffer;
  LoopCounters counters;
  TimePoint turn_time{};
  Duration spin{};
  int depth = 0;
  bool woken = false;      // by post() or stop()
  bool has_pwait2 = true;  // Linux 5.11; refused where a sandbox does not know it
};

EventLoop::Impl::Impl(EventLoop& owner, const Clock& time)
    : clock(time), event_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), loop(owner) {
  if (!event_fd) throw SystemError(errno, "cannot create an event descriptor");
  ::sigemptyset(&signals);
}

EventLoop::Impl::~Impl() {
  // What the callbacks own may hold registrations of this loop and defer or post in their
  // destructors: they go first, while it is whole, and until nothing is left.
  event_watch.reset();
  signal_watch.reset();
  do {
    std::exchange(deferred, {}).clear();
    take_posted().clear();
    std::exchange(hooks, {}).clear();
    watches.clear();
    timers.clear();
  } while (!deferred.empty() || !posted.empty());
}

void EventLoop::Impl::wake() const {
  const std::uint64_t one = 1;
  // Only fails when the counter is full, and then the loop wakes up anyway.
  [[maybe_unused]] const auto written = ::write(event_fd.get(), &one, sizeof one);
}

Duration EventLoop::Impl::time_to_wait(Duration timeout) {
  if (watches.has_always_ready() || !deferred.empty()) return Duration::zero();
  if (const auto due = timers.next_due(); due && *due != TimePoint::max()) {
    const TimePoint now = clock.now();
    timeout = std::min(timeout, *due > now ? *due - now : Duration::zero());
  }
  return stop_requested ? Duration::zero() : timeout;
}

int EventLoop::Impl::poll_without_blocking() {
  return ::epoll_wait(watches.epoll_fd(), events.data(), static_cast<int>(events.size()), 0);
}

int EventLoop::Impl::wait(Duration timeout) {
  if (timeout == Duration::zero()) return poll_without_blocking();
  if (spin > Duration::zero()) {
    const auto end = std::chrono::steady_clock::now() + std::min(spin, timeout);
    do {
      if (const int count = poll_without_blocking(); count != 0) return count;
    } while (std::chrono::steady_clock::now() < end);
    if (timeout != kNever) timeout -= std::min(spin, timeout);
  }
  ++counters.wakeups;
  if (!has_pwait2) return wait_in_milliseconds(timeout);
  timespec ts{};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  ts.tv_sec = static_cast<time_t>(seconds.count());
  ts.tv_nsec = static_cast<long>((timeout - seconds).count());
  const int count =
      ::epoll_pwait2(watches.epoll_fd(), events.data(), static_cast<int>(events.size()),
                     timeout == kNever ? nullptr : &ts, nullptr);
  if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
  has_pwait2 = false;
  return wait_in_milliseconds(timeout);
}

// Rounded up: a timer must not find itself early and wait again for nothing, over and over.
int EventLoop::Impl::wait_in_milliseconds(Duration timeout) {
  const auto most = std::chrono::milliseconds(std::numeric_limits<int>::max());
  const int milliseconds =
      timeout == kNever
          ? -1
          : static_cast<int>(
                (timeout > most ? most : std::chrono::ceil<std::chrono::milliseconds>(timeout))
                    .count());
  return ::epoll_wait(watches.epoll_fd(), events.data(), static_cast<int>(events.size()),
                      milliseconds);
}

void EventLoop::Impl::run_once(Duration timeout) {
  ++depth;
  run_hooks();
  const int count = std::max(0, wait(time_to_wait(timeout)));  // EINTR: nothing came
  turn_time = clock.now();
  counters.events += static_cast<std::uint64_t>(count);
  for (int i = 0; i < count; ++i) {
    guarded([&] { watches.dispatch(events[static_cast<std::size_t>(i)]); });
  }
  guarded([this] { watches.dispatch_always_ready(); });
  guarded([this] { counters.timers += timers.run_due(turn_time); });
  run_posted();
  run_deferred();
  --depth;
  if (depth == 0) {
    watches.release_ended();
    timers.release_cancelled();
  }
}

template <typename Call>
void EventLoop::Impl::guarded(Call&& call) {
  try {
    call();
  } catch (const std::bad_alloc&) {
    if (!on_out_of_memory) throw;
    count_out_of_memory();
  }
}

void EventLoop::Impl::count_out_of_memory() {
  ++counters.out_of_memory;
  try {
    if (on_out_of_memory) on_out_of_memory();
  } catch (const std::bad_alloc&) {  // nor any to report it
  }
}

std::vector<EventLoop::Callback> EventLoop::Impl::take_posted() {
  const std::lock_guard lock(post_mutex);
  return std::exchange(posted, {});
}

void EventLoop::Impl::run_posted() {
  // Without a wake-up nothing was posted: a turn costs no lock.
  if (!std::exchange(woken, false)) return;
  for (const Callback& callback : take_posted()) guarded(callback);
}

void EventLoop::Impl::run_deferred() {
  std::vector<Callback> batch;
  batch.swap(deferred);
  for (Callback& callback : batch) guarded(callback);
}

// Calls those for `signo`, 0: those before every wait. By their ids, which grow, as a callback may
// remove any of them.
template <typename Call>
void EventLoop::Impl::for_each_hook(int signo, Call&& call) {
  for (std::uint64_t last = 0;;) {
    const auto next = std::find_if(hooks.begin(), hooks.end(), [&](const NamedCallback& hook) {
      return hook.id > last && hook.signo == signo;
    });
    if (next == hooks.end()) return;
    last = next->id;
    const std::shared_ptr<Callback> callback = next->callback;  // it may remove itself
    call(*callback);
  }
}

void EventLoop::Impl::run_hooks() {
  for_each_hook(0, [this](const Callback& callback) { guarded(callback); });
}

void EventLoop::Impl::run_signals() {
  signalfd_siginfo info{};
  while (::read(signal_fd.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    for_each_hook(static_cast<int>(info.ssi_signo), [](const Callback& callback) { callback(); });
  }
}

std::uint64_t EventLoop::Impl::add_hook(int signo, Callback callback) {
  hooks.push_back({next_hook_id, signo, std::make_shared<Callback>(std::move(callback))});
  return next_hook_id++;
}

void EventLoop::Impl::remove_hook(std::uint64_t id) {
  const auto found = std::find_if(hooks.begin(), hooks.end(),
                                  [id](const NamedCallback& hook) { return hook.id == id; });
  if (found == hooks.end()) return;
  const int signo = found->signo;
  hooks.erase(found);
  const bool shared = std::any_of(hooks.begin(), hooks.end(), [signo](const NamedCallback& hook) {
    return hook.signo == signo;
  });
  if (signo != 0 && !shared) update_signals(signo, false);
}

void EventLoop::Impl::update_signals(int signo, bool add) {
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signo);
  if (add) {
    ::sigaddset(&signals, signo);
    ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
  } else {
    ::sigdelset(&signals, signo);
  }
  // Removing a hook never creates the descriptor.
  if (add || signal_fd) {
    const int fd = ::signalfd(signal_fd.get(), &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) throw SystemError(errno, "cannot watch signals");
    if (!signal_fd) {
      signal_fd.reset(fd);
      signal_watch = loop.watch(fd, Interest::read, [this](Ready) { run_signals(); });
    }
  }
  if (!add) ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
}

EventLoop::EventLoop(const Clock& clock) : impl_(std::make_unique<Impl>(*this, clock)) {
  impl_->event_watch = watch(impl_->event_fd.get(), Interest::read, [this](Ready) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(impl_->event_fd.get(), &count, sizeof count);
    impl_->woken = true;
  });
}

EventLoop::~EventLoop() = default;

Watch EventLoop::watch(int fd, Interest interest, std::function<void(Ready)> callback) {
  const WatchTable::Handle handle = impl_->watches.add(fd, interest, std::move(callback));
  return {this, handle.slot, handle.generation};
}

Timer EventLoop::after(Duration delay, Callback callback) {
  return at(saturating_add(now(), delay), std::move(callback));
}

// A time that has passed counts as now: made again and again by its own callback, such a timer
// would otherwise always come first and hold the others up.
Timer EventLoop::at(TimePoint due, Callback callback) {
  return {this, impl_->timers.add(std::max(due, now()), Duration::zero(), std::move(callback))};
}

Timer EventLoop::every(Duration period, Callback callback) {
  return {this, impl_->timers.add(saturating_add(now(), period), period, std::move(callback))};
}

void EventLoop::post(Callback callback) {
  bool first = false;
  {
    const std::lock_guard lock(impl_->post_mutex);
    first = impl_->posted.empty();
    impl_->posted.push_back(std::move(callback));
  }
  if (first) impl_->wake();
}

void EventLoop::defer(Callback callback) {
  impl_->deferred.push_back(std::move(callback));
}

Hook EventLoop::before_wait(Callback callback) {
  return {this, impl_->add_hook(0, std::move(callback))};
}

Hook EventLoop::on_signal(int signo, Callback callback) {
  Hook hook{this, impl_->add_hook(signo, std::move(callback))};
  impl_->update_signals(signo, true);
  return hook;
}

void EventLoop::set_spin(Duration spin) {
  impl_->spin = spin;
}

void EventLoop::on_out_of_memory(Callback callback) {
  impl_->on_out_of_memory = std::move(callback);
}

void EventLoop::out_of_memory() {
  impl_->count_out_of_memory();
}

void EventLoop::run() {
  impl_->turn_time = impl_->clock.now();
  while (!impl_->stop_requested) impl_->run_once(kNever);
  impl_->stop_requested = false;
  impl_->run_hooks();  // what the last turn left in buffers
}

void EventLoop::run_once(Duration timeout) {
  if (impl_->depth == 0) impl_->turn_time = impl_->clock.now();
  impl_->run_once(timeout);
}

void EventLoop::stop() {
  impl_->stop_requested = true;
  impl_->wake();
}

TimePoint EventLoop::now() const {
  return impl_->depth > 0 ? impl_->turn_time : impl_->clock.now();
}

TimePoint EventLoop::refresh_now() {
  impl_->turn_time = impl_->clock.now();
  return impl_->turn_time;
}

const Clock& EventLoop::clock() const {
  return impl_->clock;
}

std::span<char> EventLoop::read_buffer() {
  if (!impl_->read_buffer) impl_->read_buffer = make_read_buffer();
  return {impl_->read_buffer.get(), kReadBufferSize};
}

const LoopCounters& EventLoop::counters() const {
  return impl_->counters;
}

Watch::Watch(Watch&& other) noexcept
    : loop_(std::exchange(other.loop_, nullptr)),
      slot_(other.slot_),
      generation_(other.generation_) {}

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    slot_ = other.slot_;
    generation_ = other.generation_;
  }
  return *this;
}

Watch::~Watch() {
  reset();
}

void Watch::set(Interest interest) {
  if (loop_ != nullptr) loop_->impl_->watches.set(slot_, generation_, interest);
}

Interest Watch::interest() const {
  return loop_ != nullptr ? loop_->impl_->watches.interest(slot_, generation_) : Interest::none;
}

void Watch::reset() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->impl_->watches.end(slot_, generation_);
}

Timer::Timer(Timer&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_) {}

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Timer::~Timer() {
  reset();
}

void Timer::reset() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->impl_->timers.cancel(id_);
}

bool Timer::pending() const {
  return loop_ != nullptr && loop_->impl_->timers.pending(id_);
}

Hook::Hook(Hook&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)), id_(other.id_) {}

Hook& Hook::operator=(Hook&& other) noexcept {
  if (this != &other) {
    reset();
    loop_ = std::exchange(other.loop_, nullptr);
    id_ = other.id_;
  }
  return *this;
}

Hook::~Hook() {
  reset();
}

void Hook::reset() {
  if (loop_ != nullptr) std::exchange(loop_, nullptr)->impl_->remove_hook(id_);
}

}  // namespace netkit
