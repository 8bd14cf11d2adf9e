// A whole server of the native protocol, without its sockets, among clients that speak it well over
// a wire that does not: a script says what they ask for, and what is changed on its way. Each step
// of the server is bounded in processor time and memory, as no peer may cost it more.
#pragma once

#include "fuzz/fuzz_check.hpp"
#include "fuzz/script.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <malloc.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/datagram/client.hpp>
#include <netkit/datagram/driver.hpp>

// AddressSanitizer's count, where it is linked in: mallinfo2() knows nothing of its allocations.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace netkit::fuzz {

inline std::size_t allocated_bytes() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) {
    return __sanitizer_get_current_allocated_bytes();
  }
  return mallinfo2().uordblks;
}

inline Duration processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// What an application says when it connects, and how it writes one of its requests.
class Application {
 public:
  virtual ~Application() = default;
  virtual std::string hello(unsigned client) = 0;
  virtual std::string request(Script& script) = 0;
};

class NativeParty {
 public:
  static constexpr unsigned kClients = 4;
  static constexpr std::size_t kStepMemory = 8u << 20;    // bytes that a step may leave behind
  static constexpr std::size_t kTotalMemory = 32u << 20;  // bytes that all of an input may
  static constexpr Duration kStepTime = std::chrono::seconds(2);

  NativeParty(datagram::Driver::Handler& server, Application& application)
      : server_(server), application_(application), at_start_(allocated_bytes()) {
    for (unsigned i = 0; i < kClients; ++i) {
      clients_[i] = std::make_unique<Peer>(i);
      clients_[i]->client.connect(application_.hello(i), now_);
    }
    settle();
  }

  TimePoint now() const { return now_; }

  void run(Script& script) {
    while (!script.done()) {
      step(script);
      settle();
    }
  }

  // Time passes until the server has nothing left to do.
  void rest() {
    for (int i = 0; i < 20000 && server_.next_deadline() != TimePoint::max(); ++i) {
      now_ = std::max(now_, server_.next_deadline());
      bounded([this] { server_.tick(now_); });
      datagram::OutputQueue queue;
      while (server_.drain(queue, now_)) queue.clear();
    }
  }

 private:
  struct Peer final : datagram::Client::Handler {
    explicit Peer(unsigned number)
        : address(*IpAddress::parse("10.0.0.1"), static_cast<std::uint16_t>(1000 + number)),
          client({}, Endpoint(*IpAddress::parse("10.0.0.9"), 9), Dice(number), *this) {}
    void on_connected(std::string_view) override {}
    void on_rejected(std::uint16_t, std::string_view) override {}
    void on_message(std::uint64_t, std::string_view) override {}
    void on_gap(const datagram::Gap&) override {}
    void on_left(datagram::LeftReason, std::string_view) override {}
    Endpoint address;
    datagram::Client client;
  };
  static constexpr std::size_t kHeader = 24;  // of DATA; its body follows

  void step(Script& script) {
    const std::uint8_t what = script.byte();
    Peer& peer = *clients_[(what >> 3) % kClients];
    switch (what & 7) {
      case 0:
      case 1:
        if (peer.client.can_send()) peer.client.send(application_.request(script));
        break;
      case 2:  // what one asks next has another body
        body_ = std::string(script.text());
        if (peer.client.can_send()) peer.client.send("x");
        break;
      case 3:  // a few bytes of the next datagram are others
        change_at_ = script.byte();
        change_ = std::string(script.text());
        if (peer.client.can_send()) peer.client.send(application_.request(script));
        break;
      case 4: {  // a datagram of somebody else
        const Endpoint from(*IpAddress::parse("10.0.0.2"), script.byte());
        deliver(from, script.text());
        break;
      }
      case 5:
        if (peer.client.idle()) {
          peer.client.connect(application_.hello(script.byte()), now_);
        } else {
          peer.client.leave("", now_);
        }
        break;
      case 6:
        lose_ = script.byte();
        break;
      default: {
        const unsigned length = script.byte();
        now_ += std::chrono::milliseconds(length * length);
      }
    }
  }

  // Until nobody has anything to say at this time.
  void settle() {
    bounded([this] { server_.tick(now_); });
    for (int round = 0; round < 8; ++round) {
      bool spoke = false;
      for (auto& peer : clients_) {
        peer->client.tick(now_);
        datagram::OutputQueue queue;
        peer->client.drain(queue, now_);
        for (const auto& item : queue.items()) {
          spoke = true;
          carry_up(*peer, std::string(item.head) + std::string(item.body));
        }
      }
      datagram::OutputQueue queue;
      bool more = true;
      while (more) {
        queue.clear();
        bounded([&] { more = server_.drain(queue, now_); });
        for (const auto& item : queue.items()) spoke = carry_down(item) || spoke;
      }
      if (!spoke) return;
    }
  }

  void carry_up(const Peer& peer, std::string bytes) {
    if (lose_ > 0) {
      --lose_;
      return;
    }
    if (body_ && bytes.size() > kHeader) {
      bytes = bytes.substr(0, kHeader) + *body_;
      body_.reset();
    }
    if (!change_.empty() && change_at_ < bytes.size()) {
      bytes.replace(change_at_, std::min(change_.size(), bytes.size() - change_at_),
                    change_.substr(0, bytes.size() - change_at_));
      change_.clear();
    }
    deliver(peer.address, bytes);
  }

  bool carry_down(const datagram::OutputQueue::Item& item) {
    FUZZ_CHECK(item.size() <= datagram::kMaxDatagram || item.head.empty());
    for (auto& peer : clients_) {
      if (item.to->peer != peer->address) continue;
      peer->client.on_datagram(std::string(item.head) + std::string(item.body), now_);
      return true;
    }
    return false;
  }

  void deliver(const Endpoint& from, std::string_view bytes) {
    bounded([&] { server_.on_datagram(from, bytes, now_); });
  }

  template <typename Work>
  void bounded(Work&& work) {
    const std::size_t before = allocated_bytes();
    const Duration began = processor_time();
    work();
    FUZZ_CHECK(processor_time() - began < kStepTime);
    const std::size_t after = allocated_bytes();
    FUZZ_CHECK(after < before + kStepMemory);
    FUZZ_CHECK(after < at_start_ + kTotalMemory);
  }

  datagram::Driver::Handler& server_;
  Application& application_;
  std::size_t at_start_;
  std::array<std::unique_ptr<Peer>, kClients> clients_;
  TimePoint now_{std::chrono::hours(1)};
  std::optional<std::string> body_;  // of the next DATA of anybody
  std::string change_;               // in the next datagram
  std::size_t change_at_ = 0;
  unsigned lose_ = 0;  // so many datagrams to the server
};

}  // namespace netkit::fuzz
