// `netkit push status`: the roster, asked over the control channel.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::push {

class StatusCommand final : public Command, private ByteStream::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  void on_connected(ConnectResult result);
  void on_data(ByteStream& stream, std::string_view data) override;
  void on_end(ByteStream& stream) override;
  void on_closed(ByteStream& stream, int error, std::string_view why) override;
  void on_line(const Line& line);
  void on_count(std::string_view line);
  void on_row(std::string_view line);
  void fail(ExitStatus status, const std::string& why);

  static constexpr std::size_t kMaxLine = 4096;
  AddressSpec address_;
  Duration wait_{};
  Host* host_ = nullptr;
  Endpoint server_;
  std::unique_ptr<TcpConnector> connector_;
  std::unique_ptr<ByteStream> stream_;
  LineDecoder lines_{kMaxLine};
  bool counted_ = false;    // `OK N` has come
  std::uint64_t rows_ = 0;  // that are still to come
  std::uint64_t shown_ = 0;
  Timer overdue_;
};

}  // namespace netkit::push
