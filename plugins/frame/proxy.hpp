// The proxy of `frame proxy`: passes bytes on and shows the frames in them.
#pragma once

#include <cstdint>
#include <frame/frame_printer.hpp>
#include <frame/recorder.hpp>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/loop/limited_log.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_listeners.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/slot_list.hpp>

namespace netkit::frame {

struct ProxyOptions {
  AddressSpec listen;
  AddressSpec target;
  CodecSpec codec;
  std::uint64_t max_frame = 1U << 20U;
  std::size_t max_clients = 65536;
  Duration connect_timeout = std::chrono::seconds(10);
  std::string record;  // file; empty: none
};

class ProxySession;

class Proxy {
 public:
  // Binds its sockets; throws SystemError, Error.
  Proxy(Host& host, ProxyOptions options);
  ~Proxy();

 private:
  friend class ProxySession;

  void on_accept(FileDescriptor socket, const Endpoint& peer);
  void remove(ProxySession& session);
  void fill_totals(Totals& totals) const;
  void stop();

  Host& host_;
  ProxyOptions options_;
  FramePrinter printer_;
  Recorder recorder_;
  LimitedLog peers_log_;
  SlotList<ProxySession> sessions_;
  TcpListeners listeners_;
  std::uint64_t connections_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t failures_ = 0;
  std::uint64_t undecoded_ = 0;
  std::uint64_t frames_[2] = {0, 0};  // by Direction
  std::uint64_t bytes_[2] = {0, 0};
};

}  // namespace netkit::frame
