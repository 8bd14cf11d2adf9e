#include <cstddef>
#include <utility>

#include <netkit/net/await_rest.hpp>

namespace netkit {
namespace {

constexpr Duration kPatience = std::chrono::minutes(1);
constexpr std::size_t kParts = 8;

void await_more(EventLoop& loop, Timer& timer, const ByteStream& stream, std::size_t least,
                std::function<void()> on_stuck) {
  const std::size_t before = stream.queued();
  timer = loop.after(kPatience, [&, least, before, on_stuck = std::move(on_stuck)]() mutable {
    if (before - stream.queued() <= least) return on_stuck();
    await_more(loop, timer, stream, least, std::move(on_stuck));
  });
}

}  // namespace

void await_rest(EventLoop& loop, Timer& timer, const ByteStream& stream,
                std::function<void()> on_stuck) {
  const std::size_t queued = stream.queued();
  if (queued != 0) await_more(loop, timer, stream, queued / kParts, std::move(on_stuck));
}

}  // namespace netkit
