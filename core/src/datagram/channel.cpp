#include "datagram/chunk.hpp"

#include <algorithm>
#include <string>

#include <netkit/datagram/channel.hpp>

namespace netkit::datagram {

struct Channel::Impl {
  Impl(Server& to, const Channel::Options& options)
      : server(to),
        packer({.max_body = to.options().max_body(),
                .max_message = to.options().max_message,
                .first_record = options.numbered ? 1u : 0u}),
        ring(options.keep, options.keep_bytes) {}

  Server& server;
  Packer packer;
  ChunkRing ring;
};

Channel::Channel(Server& server, const Options& options)
    : impl_(std::make_unique<Impl>(server, options)) {}

Channel::~Channel() = default;

bool Channel::append(std::string_view message) {
  return impl_->packer.append(message);
}

std::size_t Channel::pending_messages() const {
  return impl_->packer.pending_messages();
}

std::size_t Channel::pending_bytes() const {
  return impl_->packer.pending_bytes();
}

void Channel::flush(SessionRef except) {
  if (impl_->packer.empty()) return;
  const std::span<const ChunkRef> chunks = impl_->packer.flush();
  impl_->ring.add(chunks);
  impl_->server.broadcast(chunks, except);
}

void Channel::flush_to(std::span<const SessionRef> sessions) {
  if (impl_->packer.empty()) return;
  const std::span<const ChunkRef> chunks = impl_->packer.flush();
  // What has a number is kept for all in any case.
  if (impl_->packer.next_record() == 0) charge(chunks, sessions.size());
  impl_->ring.add(chunks);
  for (const SessionRef session : sessions) impl_->server.send(session, chunks);
}

void Channel::go_on_with(std::uint64_t record) {
  impl_->packer.go_on_with(record);
}

std::uint64_t Channel::next_record() const {
  return impl_->packer.next_record();
}

std::uint64_t Channel::first_kept() const {
  return impl_->ring.first_record();
}

std::uint64_t Channel::last_kept() const {
  return impl_->ring.last_record();
}

bool Channel::send_since(SessionRef session, std::uint64_t record) {
  return impl_->server.send(session, impl_->ring.since(record));
}

void Channel::for_each_kept(std::uint64_t record, const Visit& visit) const {
  const std::uint64_t first = std::max(record, impl_->ring.first_record());
  std::string cut;  // the pieces so far of a message that goes on in the next chunk
  for (const ChunkRef& chunk : impl_->ring.since(first)) {
    const Bundle bundle = read_bundle(chunk->body);
    std::uint64_t number = bundle.first_record;
    std::string_view entries = bundle.entries;
    std::string_view entry;
    for (bool continues = bundle.continues; next_entry(entries, entry); continues = false) {
      if (!continues) cut.clear();
      const bool open = bundle.open && entries.empty();
      if (continues || open) cut += entry;
      if (open) break;
      if (number >= first) visit(number, continues ? std::string_view(cut) : entry);
      ++number;
    }
  }
}

}  // namespace netkit::datagram
