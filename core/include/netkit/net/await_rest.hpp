// How long a closed stream waits for its peer to take the rest of what was queued for it.
#pragma once

#include <functional>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// [loop] For a stream that was closed: calls `on_stuck` as soon as the peer fails to take an eighth
// of what is queued now within a minute; never if nothing is queued. Runs on `timer`, whose reset()
// cancels it. The arguments must outlive it.
NETKIT_API void await_rest(EventLoop& loop, Timer& timer, const ByteStream& stream,
                           std::function<void()> on_stuck);

}  // namespace netkit
