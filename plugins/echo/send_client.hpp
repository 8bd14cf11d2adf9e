// How `echo send` talks to a server: one message at a time.
#pragma once

#include <cstddef>
#include <echo/reply_matcher.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/net/udp_client.hpp>
#include <netkit/util/error.hpp>

namespace netkit::echo {

class SendClient {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void on_open() = 0;  // send() may be called; never from the constructor or open()
    virtual void on_reply(std::string_view reply) = 0;
    virtual void on_late(std::string_view reply) = 0;  // to a message that was given up
    virtual void on_failed(ExitStatus status, const std::string& error) = 0;  // till open()
  };

  virtual ~SendClient() = default;
  virtual void open() = 0;  // throws Error; again after on_failed()
  // on_reply() or on_failed() follows, or the caller gives up. False, with a sentence in `error`,
  // when this message cannot be sent. `message` stays the caller's until then.
  virtual bool send(const std::string& message, std::string& error) = 0;
  virtual void give_up() = 0;
  virtual const Endpoint& peer() const = 0;
};

// [loop] A datagram a message.
class UdpSendClient final : public SendClient, private UdpClient::Handler {
 public:
  UdpSendClient(EventLoop& loop, std::vector<AddressSpec> servers, SendClient::Handler& handler);
  void open() override;
  bool send(const std::string& message, std::string& error) override;
  void give_up() override { matcher_.on_overdue(); }
  const Endpoint& peer() const override { return client_->peer(); }

 private:
  void on_datagram(std::string_view datagram) override;
  void on_next_address(int error) override;
  void on_refused(int error) override;

  EventLoop& loop_;
  std::vector<AddressSpec> servers_;
  SendClient::Handler& handler_;
  std::optional<UdpClient> client_;
  ReplyMatcher matcher_;
  std::string message_;
};

// [loop] The bytes of a message, and as many back.
class TcpSendClient final : public SendClient, private TcpClient::Handler {
 public:
  // `any_answer`: the first data received is the reply.
  TcpSendClient(EventLoop& loop, const Log& log, const std::vector<AddressSpec>& servers,
                Duration connect_timeout, bool any_answer, SendClient::Handler& handler);
  void open() override { client_.start(); }
  bool send(const std::string& message, std::string& error) override;
  void give_up() override;
  const Endpoint& peer() const override { return peer_; }

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;

  EventLoop& loop_;
  SendClient::Handler& handler_;
  bool any_answer_;
  bool asked_ = false;  // with any_answer_: nothing has come since the last message
  Endpoint peer_;
  ReplyCounter counter_;
  std::string reply_;
  TcpClient client_;
};

}  // namespace netkit::echo
