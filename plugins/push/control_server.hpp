// The TCP control channel: lines in, answers out, and the names that each connection holds.
#pragma once

#include <cstddef>
#include <memory>
#include <push/hub.hpp>

#include <netkit/net/tcp_server.hpp>

namespace netkit::push {

// To be told where to listen(). [loop] All references outlive it.
std::unique_ptr<TcpServer> make_control_server(EventLoop& loop, const Log& log,
                                               std::size_t max_clients, Hub& hub);

}  // namespace netkit::push
