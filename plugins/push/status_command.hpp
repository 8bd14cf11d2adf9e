// `netkit push status`: the roster, asked over the control channel.
#pragma once

#include <cstdint>
#include <optional>
#include <push/control.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::push {

class StatusCommand final : public Command, private TcpClient::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_end(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;
  void on_line(const Line& line);
  void on_count(std::string_view line);
  void on_row(std::string_view line);
  void await_answer();
  void ask();
  void end_roster();
  void show(const StatusRow& row);
  void show_table();
  void refuse(std::string_view line);
  void fail(ExitStatus status, const std::string& why);

  static constexpr std::size_t kMaxLine = 4096;
  TcpClient::Options options_;
  Duration wait_{};
  Host* host_ = nullptr;
  Endpoint server_;
  std::optional<TcpClient> client_;
  LineDecoder lines_{kMaxLine};
  bool counted_ = false;    // `OK N` has come
  std::uint64_t rows_ = 0;  // that are still to come
  std::uint64_t shown_ = 0;
  Duration watch_{};                             // 0: asked once
  std::vector<std::vector<std::string>> table_;  // at a terminal: rows of cells
  bool is_table_ = false;
  Timer overdue_;
  Timer next_;
};

}  // namespace netkit::push
