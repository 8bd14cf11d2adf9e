// Accepting TCP connections.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// [loop] Accepts in bounded batches per turn. Out of descriptors (EMFILE, ENFILE) it frees a spare
// one to take and close the waiting connection, backs off, and calls `on_exhausted` once a second
// at most: no busy loop.
class NETKIT_API TcpListener {
 public:
  using OnAccept = std::function<void(FileDescriptor socket, const Endpoint& peer)>;
  TcpListener(EventLoop& loop, FileDescriptor listening, OnAccept on_accept,
              std::function<void(int error)> on_exhausted = {});
  ~TcpListener();
  Endpoint local() const;
  void pause();  // stop accepting; connections wait in the backlog
  void resume();
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netkit
