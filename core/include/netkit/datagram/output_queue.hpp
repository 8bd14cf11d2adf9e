// What a server or a client has to send, by reference, ready for UdpSockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/datagram/chunk_ref.hpp>
#include <netkit/net/datagram_sender.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// The path between a peer and this machine: the peer's address, and the address of this machine
// that it used, from which it is answered.
struct Path {
  Path() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a peer alone, where any address of ours will do
  Path(const Endpoint& with, const DatagramSource& by = {}) : peer(with), local(by) {}
  Endpoint peer;
  DatagramSource local;
  // The identity the peer has proved (PrivateServer); 0: none, in clear text.
  std::uint32_t owner = 0;
  std::uint32_t proved = 0;  // higher the later it was proved
  std::uint8_t ecn = 0;      // of a received datagram: its two bits of RFC 3168
  friend bool operator==(const Path& a, const Path& b) {
    return a.peer == b.peer && a.local == b.local && a.owner == b.owner && a.proved == b.proved;
  }
};

// Datagrams made of a separate head and a body that many share. Those of one peer lie together,
// full-sized ones first, so that they can go out by UDP_SEGMENT. [one thread] Allocates only while
// it grows.
class NETKIT_API OutputQueue {
 public:
  struct Item {
    const Path* to = nullptr;
    std::string_view head;
    std::string_view body;
    bool ect = false;  // DatagramSender::add()
    std::size_t size() const { return head.size() + body.size(); }
  };
  // Datagrams to drain and send at a time: few enough that they stay in the processor's cache, and
  // that the answers that come meanwhile find room in the socket.
  static constexpr std::size_t kRound = 1024;

  OutputQueue() = default;
  OutputQueue(OutputQueue&&) noexcept = default;
  OutputQueue& operator=(OutputQueue&&) noexcept = default;

  // Copies `to` and `head` (at most kMaxDatagram bytes) and keeps `body`.
  void add(const Path& to, std::string_view head, ChunkRef&& body = {});
  // The same with a path that stays valid until clear(), as many datagrams share one.
  void add_along(const Path& to, std::string_view head, ChunkRef&& body = {});
  // A datagram whose bytes and path stay valid until clear(): owned by what was passed to keep().
  void add_kept(const Path& to, std::string_view body, std::string_view head = {});
  // A datagram of `size` bytes, at most kMaxDatagram, which the caller writes before clear(); the
  // path stays valid until then.
  char* add_room(const Path& to, std::size_t size);
  void set_ect(bool ect) { items_.back().ect = ect; }  // of the last that was added
  void keep(std::shared_ptr<const void> owner) { kept_.push_back(std::move(owner)); }
  // All since the last clear(), in order; valid until the next add() (the bytes: until clear()).
  std::span<const Item> items() const { return items_; }
  std::size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  std::size_t bytes() const { return bytes_; }
  void clear();

 private:
  char* room(std::size_t size);
  static constexpr std::size_t kBlock = 32768;
  static constexpr std::size_t kAlignment = 8;
  std::vector<Item> items_;
  std::vector<ChunkRef> bodies_;                   // what items refer to
  std::vector<std::shared_ptr<const void>> kept_;  // and besides
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_ = 0;  // the one in use
  std::size_t used_ = 0;   // of it
  std::size_t bytes_ = 0;
};

}  // namespace netkit::datagram
