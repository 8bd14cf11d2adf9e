#include <array>
#include <utility>

#include <netkit/net/loop_probe.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

LoopProbe::LoopProbe(EventLoop& loop, const Endpoint& local, OnAnswer on_answer)
    : loop_(loop), local_(local.with_port(0)), on_answer_(std::move(on_answer)) {}

bool LoopProbe::open() {
  if (socket_) return true;
  try {
    socket_ = UdpSocket::bound(local_, {.count_drops = false, .receive_buffer = 1 << 16});
    watch_ = loop_.watch(socket_.fd(), Interest::read, [this](Ready) { read(); });
  } catch (const SystemError&) {
    close();
    return false;
  }
  return true;
}

void LoopProbe::close() {
  closing_.reset();
  watch_.reset();
  socket_ = UdpSocket();
}

void LoopProbe::send(const Endpoint& peer, std::string_view reply, Duration wait) {
  if (!open()) return;
  socket_.send_to(reply, peer);
  closing_ = loop_.after(wait, [this] { close(); });
}

void LoopProbe::read() {
  std::array<char, 1> byte;  // who answers is all that matters
  Endpoint peer;
  constexpr int kReadsPerTurn = 64;
  for (int i = 0; i < kReadsPerTurn && socket_; ++i) {
    const IoResult result = socket_.receive(byte.data(), byte.size(), &peer);
    if (!result.ok()) return;
    on_answer_(peer);
  }
}

}  // namespace netkit
