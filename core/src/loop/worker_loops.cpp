#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include <netkit/loop/worker_loops.hpp>

namespace netkit {
namespace {

// Counts down to zero; std::latch cannot be waited for by a thread that also counts on failure
// paths.
class Countdown {
 public:
  explicit Countdown(unsigned count) : count_(count) {}
  void arrive() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) done_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  unsigned count_;
};

}  // namespace

struct WorkerLoops::Impl {
  struct Worker {
    EventLoop* loop = nullptr;  // while its thread runs
    std::exception_ptr error;
    std::jthread thread;
  };
  std::vector<Worker> workers;
  // A loop that has seen its stop() must live until that call is over, which still wakes it.
  Countdown stopped{1};

  // Once.
  void stop() {
    for (Worker& worker : workers) {
      // A worker whose set-up failed has no loop to stop.
      if (worker.loop != nullptr && !worker.error) worker.loop->stop();
    }
    stopped.arrive();
    for (Worker& worker : workers) {
      if (worker.thread.joinable()) worker.thread.join();
    }
  }
};

WorkerLoops::WorkerLoops(const Clock& clock, unsigned count,
                         std::function<std::shared_ptr<void>(EventLoop&, unsigned)> set_up)
    : impl_(std::make_unique<Impl>()) {
  impl_->workers.resize(count);
  Countdown ready(count);
  const auto work = [&ready, &clock, &set_up, impl = impl_.get()](Impl::Worker& worker,
                                                                  unsigned index) {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);  // signals are the main loop's
    ::pthread_setname_np(::pthread_self(), fmt::format("netkit/{}", index).c_str());
    std::optional<EventLoop> loop;
    std::shared_ptr<void> kept;
    try {
      loop.emplace(clock);
      loop->on_out_of_memory([] {});  // an exception would end the process
      kept = set_up(*loop, index);
      worker.loop = &*loop;
    } catch (...) {
      worker.error = std::current_exception();
    }
    const bool works = !worker.error;
    ready.arrive();
    if (!works) return;
    loop->run();
    impl->stopped.wait();
  };
  for (unsigned i = 0; i < count; ++i) {
    Impl::Worker& worker = impl_->workers[i];
    try {
      worker.thread = std::jthread([&worker, work, i] { work(worker, i + 1); });
    } catch (...) {  // no more threads: the others must not wait for this one
      worker.error = std::current_exception();
      ready.arrive();
    }
  }
  ready.wait();
  for (const Impl::Worker& worker : impl_->workers) {
    if (!worker.error) continue;
    impl_->stop();
    std::rethrow_exception(worker.error);
  }
}

WorkerLoops::~WorkerLoops() {
  impl_->stop();
}

void WorkerLoops::run_on_each(const std::function<void(unsigned)>& work) {
  Countdown done(static_cast<unsigned>(impl_->workers.size()));
  for (std::size_t i = 0; i < impl_->workers.size(); ++i) {
    impl_->workers[i].loop->post([&work, &done, index = static_cast<unsigned>(i + 1)] {
      work(index);
      done.arrive();
    });
  }
  done.wait();
}

}  // namespace netkit
