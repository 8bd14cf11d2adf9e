// `netkit push send`: records for a server that runs, over its control channel.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/record/source.hpp>

namespace netkit::push {

class SendCommand final : public Command, private TcpClient::Handler, private Sources::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_end(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;
  void on_source_record(std::string_view text, WallTime time) override;
  void on_sources_end() override;
  bool on_source_failed(ExitStatus status, const std::string& error) override;

  void send(std::string_view text);
  void on_answer(const Line& line);
  void check_end();
  void fail(ExitStatus status, const std::string& why);

  static constexpr std::size_t kMaxLine = 4096;
  static constexpr std::uint64_t kMaxUnanswered = 500;

  TcpClient::Options options_;
  std::string topic_;
  std::vector<std::string> texts_;
  Host* host_ = nullptr;
  std::optional<TcpClient> client_;
  std::unique_ptr<Sources> sources_;  // none: the arguments are all there is
  LineDecoder lines_{kMaxLine};
  std::uint64_t sent_ = 0;
  std::uint64_t taken_ = 0;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;  // there will be no more
  ExitStatus status_ = ExitStatus::done;
  std::string error_;
};

}  // namespace netkit::push
