// A bottleneck with a buffer, and flows that share it, in simulated time: sessions of the protocol,
// and a TCP stream that follows RFC 9438. Seeded, so that each run is the same.
#pragma once

#include "datagram/chunk.hpp"
#include "datagram/ecn.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/server.hpp>

namespace netkit::datagram::test {

using std::chrono::milliseconds;

inline double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
inline Duration from_seconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

class Events {
 public:
  TimePoint now{std::chrono::hours(1)};
  template <typename What>
  void at(TimePoint when, What&& what) {
    if (free_.empty()) {
      free_.push_back(whats_.size());
      whats_.emplace_back();
    }
    whats_[free_.back()] = std::forward<What>(what);
    queue_.push({std::max(when, now), next_++, free_.back()});
    free_.pop_back();
  }
  void run(double span) {
    const TimePoint end = now + from_seconds(span);
    while (!queue_.empty() && queue_.top().when <= end) {
      const Event event = queue_.top();
      queue_.pop();
      now = event.when;
      free_.push_back(event.what);
      std::exchange(whats_[event.what], nullptr)();
    }
    now = end;
  }

 private:
  struct Event {
    TimePoint when;
    std::uint64_t number;
    std::size_t what;
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : number > other.number;
    }
  };
  std::priority_queue<Event> queue_;
  std::vector<std::function<void()>> whats_;
  std::vector<std::size_t> free_;
  std::uint64_t next_ = 0;
};

// Tail-drop, as `tbf rate R latency 100ms`, which may mark what waits for long; behind it a part
// may be lost at random.
struct Bottleneck {
  Bottleneck(Events& all, double bits_per_second, Duration latency = milliseconds(100))
      : events(all) {
    set_rate(bits_per_second, latency);
  }
  void set_rate(double bits_per_second, Duration latency = milliseconds(100)) {
    rate = bits_per_second / 8;
    buffer = rate * seconds(latency) + 15'000;
  }
  // The two bits of RFC 3168 that what is sent now arrives with.
  std::uint8_t mark(bool ect) {
    if (!ect) return 0;
    const bool congested = busy_until - events.now > mark_above;
    marked += congested;
    return congested ? kCongestionExperienced : 2;
  }
  template <typename Arrive>
  bool send(double size, Duration delay, Arrive&& arrive) {
    ++offered;
    busy_until = std::max(busy_until, events.now);
    const double waiting = seconds(busy_until - events.now) * rate;
    queue_sum += waiting / rate;
    if (waiting + size > buffer) {
      ++dropped;
      return false;
    }
    busy_until += from_seconds(size / rate);
    carried += size;
    if (std::uniform_real_distribution<double>(0, 1)(random) >= loss) {
      events.at(busy_until + delay, std::forward<Arrive>(arrive));
    }
    return true;
  }
  void reset() { carried = queue_sum = offered = dropped = marked = 0; }
  double used(double span) const { return carried / span / rate; }
  double mean_queue() const { return queue_sum / std::max(offered, 1.0); }
  double drop_rate() const { return dropped / std::max(offered, 1.0); }

  Events& events;
  double rate = 0;  // bytes a second
  double buffer = 0;
  double loss = 0;
  TimePoint busy_until{};
  double carried = 0;
  double queue_sum = 0;
  double offered = 0;
  double dropped = 0;
  double marked = 0;
  Duration mark_above = kNever;
  std::mt19937_64 random{7};
};

// A server and its clients, one of which always has something to say to the other: the whole
// protocol, on the simulated clock. What they say passes the bottleneck, what acknowledges it does
// not. In a room each client says a short line nine times a second, and the server passes it on to
// all: of them, the bottleneck is behind the server. What may be on its way is a fraction of what
// the protocol allows.
class Stream final : public Server::Handler {
 public:
  enum class Speaker : std::uint8_t { server, clients, room };
  Stream(Events& events, Bottleneck& link, Duration rtt, Speaker speaker = Speaker::server,
         std::uint16_t fraction = 1)
      : events_(events),
        link_(link),
        rtt_(rtt),
        speaker_(speaker),
        fraction_(fraction),
        server_(options(speaker), std::ref(random_), *this),
        room_(Packer::Options{}) {
    Packer packer({.first_record = 0});
    packer.append(text_);
    const auto chunks = packer.flush();
    line_.assign(chunks.begin(), chunks.end());
  }

  // Another session; what it has to say begins at once.
  void add() {
    const auto port = static_cast<std::uint16_t>(40000 + peers_.size());
    peers_.push_back(std::make_unique<Peer>(*this, Endpoint(address(2), port)));
    peers_.back()->client.connect("", events_.now);
    pump(*peers_.back());
    if (speaker_ == Speaker::room) speak(*peers_.back());
  }
  std::vector<double> delivered() const {  // bytes, of each session
    std::vector<double> all;
    for (const auto& peer : peers_) all.push_back(peer->delivered);
    return all;
  }
  void forget_delivered() {
    for (const auto& peer : peers_) peer->delivered = 0;
  }
  int left = 0;  // sessions that ended

 private:
  struct Peer final : Client::Handler {
    Peer(Stream& stream, const Endpoint& at)
        : owner(stream),
          here(at),
          client(stream.options(Speaker::clients), there(), std::ref(owner.random_), *this) {}
    void on_connected(std::string_view) override {}
    void on_rejected(std::uint16_t, std::string_view) override { ++owner.left; }
    void on_message(std::uint64_t, std::string_view text) override {
      delivered += static_cast<double>(text.size());
    }
    void on_gap(const Gap&) override {}
    void on_left(LeftReason, std::string_view) override { ++owner.left; }

    Stream& owner;
    Endpoint here;
    Client client;
    SessionRef session;
    double delivered = 0;
    TimePoint due = TimePoint::max();
  };

  static IpAddress address(std::uint8_t last) {
    return *IpAddress::parse("10.91.1." + std::to_string(last));
  }
  static Endpoint there() { return {address(1), 9000}; }
  Options options(Speaker speaker) const {
    Options options;
    options.overflow = speaker == Speaker::room ? Overflow::skip_oldest : Overflow::keep_all;
    options.keep = speaker == Speaker::room ? 2000 : 64;
    for (std::uint16_t* window : {&options.max_window, &options.receive_window}) {
      *window = static_cast<std::uint16_t>(*window / fraction_);
    }
    return options;
  }

  Verdict on_connect(SessionRef session, const Endpoint& from, std::string_view) override {
    peer_at(from).session = session;
    return Verdict::accept();
  }
  void on_message(SessionRef session, std::uint64_t, std::string_view text) override {
    if (speaker_ == Speaker::room) {
      room_.append(text);
    } else {
      peer_at(server_.peer(session)).delivered += static_cast<double>(text.size());
    }
  }
  void on_left(SessionRef, LeftReason, std::string_view) override { ++left; }
  Peer& peer_at(const Endpoint& where) { return *peers_[where.port() - 40000u]; }

  void speak(Peer& peer) {
    peer.client.send(std::string(130, 'y'));
    pump(peer);
    const Duration pause = milliseconds(110 + random_() % 3);
    events_.at(events_.now + pause, [this, &peer] { speak(peer); });
  }

  // All that `end` has to send now, to be given to `arrive` at the other one.
  template <typename End, typename Arrive>
  void drain(End& end, bool speaks, Arrive arrive) {
    bool more = true;
    while (more) {
      queue_.clear();
      more = end.drain(queue_, events_.now);
      for (const auto& item : queue_.items()) {
        std::string bytes;
        bytes.reserve(item.size());
        bytes.append(item.head).append(item.body);
        const double size = static_cast<double>(bytes.size()) + 42;  // with IP and Ethernet
        const std::uint8_t ecn = link_.mark(item.ect);
        auto here = [arrive, bytes = std::move(bytes), to = item.to->peer, ecn] {
          arrive(to, bytes, ecn);
        };
        if (speaks) {
          link_.send(size, rtt_ / 2, std::move(here));
        } else {
          events_.at(events_.now + rtt_ / 2, std::move(here));
        }
      }
    }
  }
  void pump(Peer& peer) {
    if (speaker_ == Speaker::clients) {
      while (peer.client.send(text_)) {
      }
    }
    const auto at_server = [this, &peer](const Endpoint&, auto& bytes, std::uint8_t ecn) {
      Path from(peer.here);
      from.ecn = ecn;
      server_.on_datagram(from, bytes, events_.now);
      pump();
    };
    drain(peer.client, speaker_ == Speaker::clients, at_server);
    wake(peer.client.next_deadline(), peer.due, [this, &peer] {
      peer.client.tick(events_.now);
      pump(peer);
    });
  }
  void fill_server() {
    if (speaker_ == Speaker::room && !room_.empty()) server_.broadcast(room_.flush());
    if (speaker_ != Speaker::server || server_.full_sessions() == server_.size()) return;
    for (const auto& peer : peers_) {
      if (!server_.contains(peer->session)) continue;
      while (!server_.full(peer->session)) server_.send(peer->session, line_);
    }
  }
  void pump() {
    fill_server();
    const auto at_client = [this](const Endpoint& to, auto& bytes, std::uint8_t ecn) {
      Peer& peer = peer_at(to);
      Path from(there());
      from.ecn = ecn;
      peer.client.on_datagram(bytes, events_.now, from);
      pump(peer);
    };
    drain(server_, speaker_ != Speaker::clients, at_client);
    wake(server_.next_deadline(), due_, [this] {
      server_.tick(events_.now);
      pump();
    });
  }
  template <typename Then>
  void wake(TimePoint when, TimePoint& due, Then then) {
    if (when >= due) return;
    due = when;
    events_.at(when, [when, &due, then] {
      if (due != when) return;
      due = TimePoint::max();
      then();
    });
  }

  Events& events_;
  Bottleneck& link_;
  Duration rtt_;
  Speaker speaker_;
  std::uint16_t fraction_;
  std::mt19937_64 random_{3};
  std::vector<std::unique_ptr<Peer>> peers_;
  Server server_;
  OutputQueue queue_;  // of the one that drains
  TimePoint due_ = TimePoint::max();
  std::string text_ = std::string(1000, 'x');  // what a speaker says
  std::vector<ChunkRef> line_;                 // the same, packed
  Packer room_;                                // what is said in a room
};

// TCP with CUBIC and SACK, roughly. Where it is on the host that the bottleneck belongs to, it has
// no more there than its system lets it have (TCP Small Queues): a millisecond at its pace, or two
// bursts. It has no more on its way than its receiver takes.
class Tcp {
 public:
  enum class At : std::uint8_t { router, host };
  Tcp(Events& events, Bottleneck& link, Duration rtt, At at = At::router, double taken = 1e9)
      : events_(events), link_(link), rtt_(rtt), at_(at), taken_(taken) {}
  void start() { send(); }
  double delivered = 0;

 private:
  static constexpr double kSize = 1514;
  bool fits_host() const {
    if (at_ == At::router || smoothed_ == Duration{}) return true;
    const double pace = (window_ < threshold_ ? 2 : 1.2) * window_ * kSize / seconds(smoothed_);
    return on_host_ < std::max(6 * kSize, pace * 1e-3);
  }
  void send() {
    while (static_cast<double>(sent_.size()) < std::min(window_, taken_) && fits_host()) {
      const std::uint64_t order = ++order_;
      sent_[order] = events_.now;
      const bool taken = link_.send(kSize, rtt_ / 2, [this, order] {
        delivered += 1448;
        events_.at(events_.now + rtt_ / 2, [this, order] { acknowledge(order); });
      });
      if (!taken || at_ == At::router) continue;
      on_host_ += kSize;
      events_.at(link_.busy_until, [this] {
        on_host_ -= kSize;
        send();
      });
    }
    const auto flying = static_cast<double>(sent_.size());
    most_ = std::max(most_, flying);
    if (flying >= window_) limited_at_ = events_.now;
    watch();
  }
  void watch() {
    if (watched_) return;
    watched_ = true;
    events_.at(events_.now + milliseconds(50), [this] {
      watched_ = false;
      const Duration timeout = std::max<Duration>(3 * smoothed_, milliseconds(250));
      const std::size_t before = sent_.size();
      while (!sent_.empty() && events_.now - sent_.begin()->second > timeout) {
        sent_.erase(sent_.begin());
      }
      if (sent_.size() != before) reduce();
      send();
    });
  }
  // Where less than the window was sent, it is no reason for more.
  bool limited() const {
    if (events_.now - limited_at_ <= smoothed_) return true;
    return window_ < threshold_ && window_ < 2 * most_;
  }
  void acknowledge(std::uint64_t order) {
    const auto found = sent_.find(order);
    if (found == sent_.end()) return;
    const Duration rtt = events_.now - found->second;
    smoothed_ = smoothed_ == Duration{} ? rtt : smoothed_ + (rtt - smoothed_) / 8;
    least_ = std::min(least_, rtt);
    sent_.erase(found);
    // HyStart: slow start ends before the queue is full, or when acknowledgements come without a
    // break for half a round trip.
    const auto late = least_ + std::clamp<Duration>(least_ / 8, milliseconds(4), milliseconds(16));
    late_ = rtt > late ? late_ + 1 : 0;
    if (events_.now - std::exchange(acked_at_, events_.now) > milliseconds(2)) train_ = events_.now;
    const bool full = late_ > 8 || events_.now - train_ > least_ / 2;
    if (window_ < threshold_ && window_ >= 16 && full) {
      threshold_ = plateau_ = reno_ = window_;
      epoch_ = events_.now;
    }
    bool lost = false;
    while (!sent_.empty() && sent_.begin()->first + 3 < order) {
      sent_.erase(sent_.begin());
      lost = true;
    }
    if (lost) {
      reduce();
    } else if (limited()) {
      grow();
    }
    send();
  }
  void reduce() {
    if (events_.now < recovered_) return;
    most_ = 0;
    plateau_ = window_ < plateau_ ? window_ * 0.85 : window_;
    window_ = threshold_ = reno_ = std::max(2.0, window_ * 0.7);
    epoch_ = events_.now;
    recovered_ = events_.now + smoothed_;
  }
  void grow() {
    if (window_ < threshold_) {
      window_ += 1;
      return;
    }
    const double t = seconds(events_.now - epoch_ + smoothed_);
    const double k = std::cbrt(std::max(plateau_ - threshold_, 0.0) / 0.4);
    reno_ += 0.53 / window_;
    const double goal = std::max(0.4 * std::pow(t - k, 3) + plateau_, reno_);
    window_ += goal > window_ ? std::min((goal - window_) / window_, 0.5) : 0.01 / window_;
  }

  Events& events_;
  Bottleneck& link_;
  Duration rtt_;
  At at_;
  double taken_;        // by the receiver, in segments
  double on_host_ = 0;  // bytes, in the queue of the host
  std::map<std::uint64_t, TimePoint> sent_;
  double most_ = 0;  // in flight, of late
  TimePoint limited_at_{};
  TimePoint acked_at_{};
  TimePoint train_{};  // since when acknowledgements come without a break
  std::uint64_t order_ = 0;
  double window_ = 10;
  double threshold_ = 1e9;
  double plateau_ = 0;
  double reno_ = 0;
  TimePoint epoch_{};
  TimePoint recovered_{};
  Duration smoothed_{};
  Duration least_ = Duration::max();
  int late_ = 0;
  bool watched_ = false;
};

}  // namespace netkit::datagram::test
