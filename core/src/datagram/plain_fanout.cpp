#include <algorithm>
#include <string>
#include <utility>

#include <netkit/datagram/plain_fanout.hpp>

namespace netkit::datagram {

// In one block of memory, and whom they are for.
class PlainFanout::Texts {
 public:
  std::vector<Path> to;

  void add(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(bytes_).substr(begin, ends_[index] - begin);
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

void PlainFanout::say(std::string_view text) {
  if (!said_) said_ = std::make_shared<Texts>();
  said_->add(text);
}

void PlainFanout::settle(std::span<const Path> to) {
  if (said_) enqueue(std::exchange(said_, nullptr), to);
}

void PlainFanout::tell(const Path& to, std::string_view text) {
  const auto texts = std::make_shared<Texts>();
  texts->add(text);
  enqueue(texts, {&to, 1});
}

void PlainFanout::enqueue(std::shared_ptr<Texts> texts, std::span<const Path> to) {
  const std::size_t wanted = texts->size() * to.size();
  const std::size_t taken = std::min(wanted, options_.limit - waiting_);
  dropped_ += wanted - taken;
  waiting_ += taken;
  if (taken == 0) return;
  texts->to.assign(to.begin(), to.end());
  jobs_.push_back({std::move(texts), taken, 0});
}

bool PlainFanout::drain(OutputQueue& queue, TimePoint now, std::size_t limit) {
  while (!jobs_.empty() && queue.size() < limit) {
    Job& job = jobs_.front();
    const std::size_t before = job.at;
    add(queue, job, now, limit);
    waiting_ -= job.at - before;
    if (job.at == job.datagrams) jobs_.pop_front();
  }
  return !jobs_.empty();
}

// Whoever was silent for a second may have all of it at once again, and need not be remembered.
bool PlainFanout::within_rate(const Endpoint& to, std::size_t bytes, TimePoint now) {
  constexpr std::size_t kMostRemembered = 1u << 17;
  if (buckets_.size() >= kMostRemembered) {
    std::erase_if(buckets_, [&](const auto& bucket) {
      return bucket.second.ready_at(now, options_.rate) <= now;
    });
  }
  const double burst = std::max(options_.rate, 65'536.0);
  const auto [at, added] = buckets_.try_emplace(to, options_.rate, burst, now);
  if (at->second.take(now, static_cast<double>(bytes))) return true;
  ++over_rate_;
  return false;
}

void PlainFanout::add(OutputQueue& queue, Job& job, TimePoint now, std::size_t limit) {
  const Texts& texts = *job.texts;
  queue.keep(job.texts);
  std::size_t text = job.at % texts.size();
  const Path* to = texts.to.data() + job.at / texts.size();
  for (; job.at < job.datagrams && queue.size() < limit; ++job.at) {
    const bool limited = options_.rate > 0 && !to->peer.address().is_loopback();
    if (!limited || within_rate(to->peer, texts[text].size(), now)) {
      queue.add_kept(*to, texts[text]);
    }
    if (++text < texts.size()) continue;
    text = 0;
    ++to;
  }
}

}  // namespace netkit::datagram
