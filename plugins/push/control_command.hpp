// What `push send` and `push status` have in common: the client's side of the control channel.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::push {

// [loop] A command that asks a server by lines, and gets lines.
class ControlCommand : public Command, private TcpClient::Handler {
 protected:
  // With the key of --psk-file, where there is one. Throws Error.
  void read_servers(const Values& values, std::vector<AddressSpec> servers, Duration patience);
  void connect(Host& host);
  virtual void on_there() = 0;  // the connection is
  virtual void on_answer(std::string_view line) = 0;

  Host& host() const { return *host_; }
  bool connected() { return client_ && client_->stream() != nullptr; }
  const Endpoint& server() const { return server_; }
  void ask(std::string_view request);  // while connected
  void stop() { client_->stop(); }
  // Ends the run: why `line` is no good answer. `refused`: the status of an `ERR` that names none
  // of the options that forbid for good.
  void refuse(std::string_view line, ExitStatus refused);
  void fail(ExitStatus status, std::string_view why);

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_end(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;

  static constexpr std::size_t kMaxLine = 4096;

  TcpClient::Options options_;
  Host* host_ = nullptr;
  std::optional<TcpClient> client_;
  Endpoint server_;
  LineDecoder lines_{kMaxLine};
};

}  // namespace netkit::push
