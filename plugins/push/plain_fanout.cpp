#include <push/plain_fanout.hpp>
#include <utility>

namespace netkit::push {

namespace {

// Datagrams between two flushes: few enough that what is queued stays in the processor's cache.
constexpr std::size_t kTogether = 256;

}  // namespace

std::size_t PlainFanout::send(std::span<const Endpoint> to) {
  std::size_t at = 0;
  while (at < to.size()) {
    while (at < to.size() &&
           (sockets_.queued() == 0 || sockets_.queued() + batch_.size() <= kTogether)) {
      for (std::size_t i = 0; i < batch_.size(); ++i) sockets_.add(to[at], {}, batch_[i]);
      ++at;
    }
    if (!sockets_.flush()) break;
  }
  return at;
}

void PlainFanout::start(RecordBatch& batch, std::span<const Endpoint> to) {
  batch_.clear();
  batch_.swap(batch);
  const std::size_t sent = send(to);
  waiting_ = sockets_.blocked();
  // Who comes and goes meanwhile changes the table.
  rest_.assign(to.begin() + static_cast<std::ptrdiff_t>(sent), to.end());
}

void PlainFanout::resume() {
  const std::vector<Endpoint> to = std::move(rest_);
  rest_.clear();
  const std::size_t sent = send(to);
  waiting_ = sockets_.blocked();
  rest_.assign(to.begin() + static_cast<std::ptrdiff_t>(sent), to.end());
}

}  // namespace netkit::push
