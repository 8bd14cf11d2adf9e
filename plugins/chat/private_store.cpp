#include <chat/private_store.hpp>
#include <chat/stored_message.hpp>
#include <utility>

namespace netkit::chat {

namespace {

// A server that is a little behind still finds what is meant for its members.
constexpr std::size_t kKept = 100;

store::Stream::Options options_of(store::Stream::Options room) {
  room.settings.stream = "chat-private";
  room.settings.keep = kKept;
  room.settings.newest = 0;
  return room;
}

}  // namespace

PrivateStore::PrivateStore(Host& host, store::Stream::Options options, RoomServer& room)
    : room_(room),
      stream_({host.loop(), silent_}, host.stores(), options_of(std::move(options)), *this) {
  silent_.redirect([](std::string_view) {});
}

void PrivateStore::tell(std::string_view to, const Message& message, std::uint64_t instance,
                        std::uint64_t request) {
  store::Entry entry = entry_of(message);
  entry.fields.push_back({"to", std::string(to)});
  const std::uint64_t ticket = stream_.append(std::move(entry), store::Wish::refuse);
  if (ticket == 0) return room_.refuse_stored(instance, request, stream_.why_not());
  asked_.emplace(ticket, Asked{instance, request});
}

void PrivateStore::on_entry(const store::Entry& entry, std::uint64_t) {
  if (entry.text.size() <= kMaxText) room_.deliver_private(entry.field("to"), message_of(entry));
}

void PrivateStore::on_stored(std::uint64_t ticket) {
  asked_.erase(asked_.begin(), asked_.upper_bound(ticket));
}

void PrivateStore::on_refused(std::uint64_t ticket, std::string_view why) {
  const auto asked = asked_.find(ticket);
  if (asked == asked_.end()) return;
  room_.refuse_stored(asked->second.instance, asked->second.request, why);
  asked_.erase(asked);
}

}  // namespace netkit::chat
