// The client of `frame connect`.
#pragma once

#include <bitset>
#include <cstdint>
#include <frame/client_session.hpp>
#include <frame/frame_printer.hpp>
#include <frame/recorder.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/io/input.hpp>
#include <netkit/net/tcp_client.hpp>
#include <netkit/net/tls.hpp>
#include <netkit/plugin/host.hpp>

namespace netkit::frame {

struct FrameClientOptions {
  ClientOptions session;
  TcpClient::Options connection;
  std::optional<TlsClientOptions> tls;
  std::vector<std::string> messages;  // --send, as typed
  Duration wait = kNever;             // for the next answer, once the input has ended
  std::string record;                 // file; empty: none
  bool read_input = true;
};

struct ClientCounters {
  std::uint64_t requests = 0;
  std::uint64_t answers = 0;
  std::uint64_t errors = 0;  // answers with an error code
  std::uint64_t heartbeats = 0;
  std::uint64_t unmatched = 0;
  std::uint64_t drops = 0;
  std::uint64_t bad_lines = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

// Requests from --send and the input, answers to the output, over connections that come and go.
class FrameClient final : private TcpClient::Handler, private Input::Handler {
 public:
  // Throws what is wrong with --send and with the files that the options name.
  FrameClient(Host& host, FrameClientOptions options);

 private:
  void on_connected(TcpClient& client) override;
  void on_data(TcpClient& client, std::string_view data) override;
  void on_end(TcpClient& client) override;
  std::string on_lost(TcpClient& client) override;
  void on_gave_up(TcpClient& client, ExitStatus status, const std::string& error) override;
  void on_high_water(TcpClient& client) override;
  void on_low_water(TcpClient& client) override;
  void on_input_line(std::string_view line) override;
  void on_input_end() override;
  bool on_long_line() override;

  void push(std::string_view message);
  void on_event(const ClientEvent& event);
  void note_unmatched(const ClientEvent& event);
  void send();
  void print_sent(std::string_view wire);
  void arm_heartbeat();
  void on_heartbeat_due();
  void arm_wait();
  void control_input();
  void finish_if_done();
  void finish(ExitStatus status, const std::string& error = {});
  std::string unanswered_text() const;
  void fill_totals(Totals& totals) const;

  Host& host_;
  FrameClientOptions options_;
  ClientSession session_;
  FramePrinter printer_;
  Recorder recorder_;
  TcpClient client_;
  ClientCounters counters_;
  std::unique_ptr<Input> input_;
  Endpoint peer_;
  Hook before_wait_;
  Timer heartbeat_timer_;
  Timer wait_timer_;
  std::bitset<256> noted_;  // unmatched ids that were said, on this connection
  std::uint64_t connection_ = 0;
  bool input_ended_ = false;
  bool input_paused_ = false;
  bool congested_ = false;
};

}  // namespace netkit::frame
