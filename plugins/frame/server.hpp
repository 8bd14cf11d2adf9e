// The server of `frame serve`: all clients on one loop.
#pragma once

#include <array>
#include <cstdint>
#include <frame/frame_printer.hpp>
#include <frame/recorder.hpp>
#include <frame/server_session.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/io/input.hpp>
#include <netkit/loop/limited_log.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_listeners.hpp>
#include <netkit/net/tls.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/slot_list.hpp>

namespace netkit::frame {

struct FrameServerOptions {
  AddressSpec address;
  ServerOptions session;  // accept_custom: --broadcast
  std::size_t max_clients = 65536;
  std::size_t max_queue = 1U << 20U;  // what may wait for one client before messages to it are lost
  std::optional<TlsServerOptions> tls;
  std::string record;  // file; empty: none
};

struct ServerCounters {
  std::uint64_t connections = 0;
  std::uint64_t refused = 0;
  std::uint64_t frames = 0;
  std::array<std::uint64_t, ServerReply::kKinds> kinds{};  // of the frames
  std::uint64_t errors = 0;                                // answered with -1
  std::uint64_t pushed = 0;
  std::uint64_t dropped = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t frame_timeouts = 0;
  std::uint64_t idle_timeouts = 0;
  std::uint64_t bytes_in = 0;
};

class ServerClient;

class FrameServer final : public Input::Handler {
 public:
  // Binds its sockets; throws SystemError, Error.
  FrameServer(Host& host, FrameServerOptions options);
  ~FrameServer() override;

  void on_input_line(std::string_view line) override;
  void on_input_end() override {}
  bool on_long_line() override;

 private:
  friend class ServerClient;

  void on_accept(FileDescriptor socket, const Endpoint& peer);
  void on_request(ServerClient& client, const ServerReply& reply);
  void handle_request(ServerClient& client, const ServerReply& reply);
  void print_request(const ServerClient& client, const ServerReply& reply);
  void remove(ServerClient& client);
  void push_to_all(std::string_view head, std::string_view body, const ServerClient* except);
  void list_clients();
  void list_client(const ServerClient& client);
  void fill_totals(Totals& totals) const;
  void stop();
  std::string_view datetime();

  Host& host_;
  FrameServerOptions options_;
  FrameEncoder encoder_;
  FramePrinter printer_;
  Recorder recorder_;
  LimitedLog peers_log_;
  std::shared_ptr<TlsContext> tls_;
  ServerCounters counters_;
  SlotList<ServerClient> clients_;
  TcpListeners listeners_;
  std::unique_ptr<Input> input_;
  TimeFormatter time_;
  std::string datetime_;
  ByteBuffer answers_;  // of the client whose data are being read
  bool printing_;       // requests, as records
};

// Inline for what a server does most: answer and count.
inline void FrameServer::on_request(ServerClient& client, const ServerReply& reply) {
  ++counters_.frames;
  ++counters_.kinds[static_cast<std::size_t>(reply.kind)];
  if (reply.error != kOk) ++counters_.errors;
  const bool counted_only = reply.kind != ServerReply::Kind::registered &&
                            (reply.kind != ServerReply::Kind::custom || reply.error != kOk);
  if (printing_ || !counted_only) handle_request(client, reply);
}

}  // namespace netkit::frame
