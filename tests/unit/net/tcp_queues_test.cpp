// What a TcpServer lets wait for all of its peers together.
#include "support/hasty_clock.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/tcp_server.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

// A peer that takes nothing until it is told to.
class Idler final : public ByteStream {
 public:
  explicit Idler(Handler& handler) : handler_(handler) {}
  void say(std::string_view text) {
    if (reading_) handler_.on_data(*this, text);
  }
  void take_all() {
    queued_ = 0;
    is_above_ = false;
    handler_.on_low_water(*this);
  }
  bool is_read_from() const { return reading_; }

  void write(std::string_view data) override {
    queued_ += data.size();
    if (!is_above_ && queued_ > high_) {
      is_above_ = true;
      handler_.on_high_water(*this);
    }
  }
  void write(const SharedPayload& payload) override { write(std::string_view(*payload)); }
  void shutdown_write() override {}
  void close() override {}
  void abort() override {}
  void pause_reading() override { reading_ = false; }
  void resume_reading() override { reading_ = true; }
  std::size_t queued() const override { return queued_; }
  void set_water_marks(std::size_t, std::size_t high) override { high_ = high; }
  Endpoint peer() const override { return Endpoint(*IpAddress::parse("127.0.0.1"), 1); }
  Endpoint local() const override { return peer(); }

 private:
  Handler& handler_;
  std::size_t queued_ = 0, high_ = 0;
  bool reading_ = true, is_above_ = false;
};

class TcpQueuesTest : public testing::Test {
 protected:
  // Who says something is answered.
  struct Asked : TcpServer::Connection {
    void on_received(std::string_view) override { write(std::string(1000, 'a')); }
  };

  void adopt(int count) {
    for (int i = 0; i < count; ++i) {
      server_.adopt(Endpoint(*IpAddress::parse("127.0.0.1"), 1), [&](ByteStream::Handler& handler) {
        auto made = std::make_unique<Idler>(handler);
        idlers_.push_back(made.get());
        return made;
      });
    }
  }
  static void ask(Idler& idler) {
    for (int i = 0; i < 2000; ++i) idler.say("q");
  }

  test::HastyClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::info};
  TcpServer server_{loop_,
                    log_,
                    {.max_clients = 1000, .high_water = 1 << 20, .all_waiting = 10 << 20},
                    [](const Endpoint&) { return std::make_unique<Asked>(); }};
  std::vector<Idler*> idlers_;
};

TEST_F(TcpQueuesTest, HoldsSoMuchForAllWhoDoNotRead) {
  adopt(1000);
  std::size_t waiting = 0;
  for (Idler* idler : idlers_) {
    ask(*idler);
    EXPECT_FALSE(idler->is_read_from());
    waiting += idler->queued();
  }
  EXPECT_GT(idlers_.front()->queued(), 1u << 20);
  EXPECT_LT(waiting, (10u << 20) + 1000 * (17u << 10));
  // Once they have read, they are answered as before.
  for (Idler* idler : idlers_) idler->take_all();
  clock_.advance(1s);
  ask(*idlers_.back());
  EXPECT_GT(idlers_.back()->queued(), 1u << 20);
}

TEST_F(TcpQueuesTest, CountsThoseWhoAreOnlySentTo) {
  adopt(21);
  for (std::size_t i = 0; i < 20; ++i) idlers_[i]->write(std::string(1 << 20, 'a'));
  clock_.advance(1s);
  ask(*idlers_.back());
  EXPECT_LT(idlers_.back()->queued(), 17u << 10);
}

}  // namespace
}  // namespace netkit
