// Sessions of one server that go the same way, as they go to one address.
#pragma once

#include <memory>
#include <utility>

#include <netkit/util/clock.hpp>

namespace netkit::datagram {

// What they have in their windows together, so that each can draw near to the mean. By themselves
// they would come to equal parts, too, but hardly where a part is a datagram or two. [one thread]
class PathGroup {
 public:
  // The part of one session. It counts while the session has more to send than it may.
  class Part {
   public:
    explicit Part(std::shared_ptr<PathGroup> group) : group_(std::move(group)) {}
    Part(Part&& other) noexcept
        : group_(std::move(other.group_)),
          window_(std::exchange(other.window_, 0)),
          rtt_(std::exchange(other.rtt_, {})) {}
    Part& operator=(Part&& other) noexcept {
      std::swap(group_, other.group_);
      std::swap(window_, other.window_);
      std::swap(rtt_, other.rtt_);
      return *this;
    }
    ~Part() { set(0, {}); }
    void set(double window, Duration rtt) {  // a window of 0: it does not count
      if (!group_) return;
      if (window_ > 0) --group_->parts_;
      if (window > 0) ++group_->parts_;
      group_->sum_ += window - std::exchange(window_, window);
      group_->rtts_ += rtt - std::exchange(rtt_, rtt);
    }
    double mean() const {  // 0: no other counts
      return group_ && group_->parts_ > 1 ? group_->sum_ / group_->parts_ : 0;
    }
    Duration mean_rtt() const {  // likewise
      return group_ && group_->parts_ > 1 ? group_->rtts_ / group_->parts_ : Duration{};
    }
    const std::shared_ptr<PathGroup>& group() const { return group_; }

   private:
    std::shared_ptr<PathGroup> group_;  // null: of its own
    double window_ = 0;
    Duration rtt_{};
  };

 private:
  int parts_ = 0;
  double sum_ = 0;  // of windows
  Duration rtts_{};
};

}  // namespace netkit::datagram
