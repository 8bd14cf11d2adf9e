// Sessions of one server that share a path, as they have one destination address.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// Their windows together, so that each can approach the mean. They would converge by themselves,
// too, but hardly if a share is a datagram or two. [one thread]
class PathGroup {
 public:
  // One session's share. It counts while the session is limited by its window.
  class Part {
   public:
    explicit Part(std::shared_ptr<PathGroup> group) : group_(std::move(group)) {}
    Part(Part&& other) noexcept
        : group_(std::move(other.group_)),
          window_(std::exchange(other.window_, 0)),
          rtt_(std::exchange(other.rtt_, {})),
          starts_(std::exchange(other.starts_, false)) {}
    Part& operator=(Part&& other) noexcept {
      std::swap(group_, other.group_);
      std::swap(window_, other.window_);
      std::swap(rtt_, other.rtt_);
      std::swap(starts_, other.starts_);
      return *this;
    }
    ~Part() {
      set(0, {});
      set_start(false);
    }
    void set(double window, Duration rtt) {  // a window of 0: it does not count
      if (!group_) return;
      if (window_ > 0) --group_->parts_;
      if (window > 0) ++group_->parts_;
      group_->sum_ += window - std::exchange(window_, window);
      group_->rtts_ += rtt - std::exchange(rtt_, rtt);
    }
    // It has something on its way, and is still to find out what the path takes.
    void set_start(bool starts) {
      if (!group_ || starts == starts_) return;
      starts_ = starts;
      group_->starting_ += starts ? 1 : -1;
    }
    int starting() const { return group_ ? std::max(group_->starting_, 1) : 1; }
    bool many() const { return group_ && group_->parts_ > 1; }  // which count
    double mean() const { return many() ? group_->sum_ / group_->parts_ : 0; }
    Duration mean_rtt() const { return many() ? group_->rtts_ / group_->parts_ : Duration{}; }
    // The shortest round trip in a look at the path, which all of them take together. A single
    // sample of a session with a datagram or two may have waited behind another session's data.
    void see(std::uint64_t look, Duration rtt) {
      if (group_) group_->looks_.see(look, rtt);
    }
    // Of all in this look so far, or in the one before it; zero: none saw anything.
    Duration seen(std::uint64_t look) const {
      return group_ ? group_->looks_.seen(look) : Duration{};
    }
    const std::shared_ptr<PathGroup>& group() const { return group_; }

   private:
    std::shared_ptr<PathGroup> group_;  // null: of its own
    double window_ = 0;
    Duration rtt_{};
    bool starts_ = false;
  };

 private:
  struct Looks {
    void see(std::uint64_t look, Duration rtt) {
      if (look > last_) before_ = look == last_ + 1 ? std::exchange(least_, rtt) : Duration{};
      if (look > last_) least_ = rtt;
      if (look == last_) least_ = std::min(least_, rtt);
      last_ = std::max(last_, look);
    }
    Duration seen(std::uint64_t look) const {
      return look == last_ ? least_ : look + 1 == last_ ? before_ : Duration{};
    }
    std::uint64_t last_ = 0;
    Duration least_{};
    Duration before_{};
  };
  Looks looks_;
  int parts_ = 0;
  int starting_ = 0;
  double sum_ = 0;  // of windows
  Duration rtts_{};
};

}  // namespace netkit::datagram
