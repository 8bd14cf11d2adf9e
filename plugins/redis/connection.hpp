// A connection to Redis: commands out, answers in, in their order.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <redis/reply.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/log.hpp>

namespace netkit::redis {

// [loop] Made again by TcpClient's policy whenever it is lost; logs in first.
class Connection final : private TcpClient::Handler {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // There is a connection. It counts as a success only after confirm(), so that a server that
    // accepts connections and does nothing else does not count as recovered.
    virtual void on_ready(Connection& connection) = 0;
    virtual void on_lost(Connection& connection) = 0;
    // There will be none: `status` and a sentence.
    virtual void on_gave_up(Connection& connection, ExitStatus status,
                            const std::string& error) = 0;
  };
  struct Login {
    std::string user{};
    std::string password{};  // empty: none
  };
  // The answer is valid during the call.
  using Callback = std::function<void(const Reply& reply)>;

  // How long an answer may take to begin, unless a command says otherwise, and to go on.
  static constexpr Duration kPatience = std::chrono::seconds(3);

  // All references outlive it.
  Connection(EventLoop& loop, const Log& log, TcpClient::Options options, Login login,
             Handler& handler);
  ~Connection() override;

  void start() { client_.start(); }
  void confirm() { client_.confirm(); }
  // There is no callback for an answer that is lost with the connection.
  void send(std::span<const std::string_view> words, Callback callback,
            Duration patience = kPatience);
  void send(std::initializer_list<std::string_view> words, Callback callback,
            Duration patience = kPatience) {
    send(std::span(words.begin(), words.size()), std::move(callback), patience);
  }
  // EVAL: `script` with its keys and arguments.
  void eval(const char* script, std::initializer_list<std::string_view> keys,
            std::initializer_list<std::string_view> arguments, Callback callback) {
    run_script({"EVAL", script}, {keys.begin(), keys.size()}, {arguments.begin(), arguments.size()},
               std::move(callback));
  }
  // `how`: EVAL and a script, or EVALSHA and the name that SCRIPT LOAD has answered.
  using Script = std::pair<std::string_view, std::string_view>;
  void run_script(const Script& how, std::span<const std::string_view> keys,
                  std::span<const std::string_view> arguments, Callback callback);
  void drop(std::string_view why);
  void stop() { client_.stop(); }
  // Where it is, as it was written.
  const std::string& server() const { return client_.server(); }
  // It was lost, as an answer was larger than ReplyReader::kMostBytes.
  bool has_outgrown() const;

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  std::string on_lost(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;

  void log_in();
  void on_login(const Reply& reply);
  void take(const redisReply* reply);
  void watch_answers();
  void prolong();

  struct Expected {
    Callback callback;
    TimePoint due;
  };

  EventLoop& loop_;
  Login login_;
  Handler& handler_;
  std::unique_ptr<ReplyReader> reader_;  // of what answers
  std::deque<Expected> expected_;
  Timer overdue_;
  bool ready_ = false;
  TcpClient client_;
};

}  // namespace netkit::redis
