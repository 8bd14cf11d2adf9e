#include <algorithm>
#include <chat/addressee.hpp>
#include <chat/room_store.hpp>
#include <chat/stored_message.hpp>
#include <utility>

#include <fmt/format.h>

namespace netkit::chat {

namespace {

constexpr std::size_t kMaxAsking = std::size_t{16} << 20U;  // of those who wait for names, all

}  // namespace

RoomStore::RoomStore(Host& host, const store::Stream::Options& options, RoomServer& room,
                     std::function<void()> on_open)
    : host_(host),
      room_(room),
      on_open_(std::move(on_open)),
      private_(host, options, room),
      stream_({host.loop(), host.log()}, host.stores(), options, *this) {}

Room::Handler::Placing RoomStore::place(const Message& message, const Endpoint& peer,
                                        std::uint64_t instance, std::uint64_t request) {
  using Place = Room::Handler::Place;
  store::Entry entry = entry_of(message);
  if (request != 0) {
    entry.fields.push_back({"by", std::to_string(instance)});
    entry.fields.push_back({"request", std::to_string(request)});
  }
  const std::uint64_t ticket = stream_.append(entry, store::Wish::refuse);
  if (ticket == 0) return {Place::refused, stream_.why_not()};
  last_ticket_ = ticket;
  said_.emplace(ticket, Said{std::move(entry), peer, stream_.away()});
  return {stream_.away() ? Place::nowhere : Place::store, {}};
}

void RoomStore::on_store_open() {
  room_.number_by(stream_.state().stream, stream_.last() + 1);
  on_open_();
}

void RoomStore::on_entry(const store::Entry& entry, std::uint64_t ticket) {
  const auto said = said_.find(ticket);
  // What was said before this server was there is kept for newcomers, and no news.
  const bool heard = !stream_.was_open() || (said != said_.end() && said->second.heard);
  const Endpoint peer = said != said_.end() ? said->second.peer : Endpoint();
  if (said != said_.end()) said_.erase(said);
  if (entry.text.size() > kMaxText) return;  // of another program
  room_.deliver_stored(message_of(entry), entry.number, heard, peer);
  const std::uint64_t instance = number_of(entry, "by");
  if (instance != 0) room_.note_taken(instance, number_of(entry, "request"));
}

void RoomStore::on_refused(std::uint64_t ticket, std::string_view why) {
  const auto said = said_.find(ticket);
  if (said == said_.end()) return;
  const store::Entry entry = std::move(said->second.entry);
  said_.erase(said);
  room_.refuse_stored(number_of(entry, "by"), number_of(entry, "request"), why);
  answer_syncs(ticket);
}

void RoomStore::on_stored(std::uint64_t ticket) {
  answer_syncs(ticket);
}

void RoomStore::on_store_change() {
  if (!stream_.was_open()) return;
  if (stream_.away()) {
    go_on_alone();
  } else if (std::exchange(alone_, false)) {
    host_.log().notice("the store is back: messages sent meanwhile get their numbers");
  }
  // What is in the store now is told first.
  if (then_ && !stream_.settling()) host_.loop().defer(std::exchange(then_, {}));
}

// What was on its way to the store is heard now, before all that follows.
void RoomStore::go_on_alone() {
  if (std::exchange(alone_, true)) return;
  host_.log().notice(
      "the store is unavailable: the room continues for the members of this server only");
  for (auto& [ticket, said] : said_) {
    if (!std::exchange(said.heard, true)) {
      room_.deliver_unnumbered(message_of(said.entry), said.peer);
    }
  }
  answer_syncs(UINT64_MAX);
  on_names({});
}

bool RoomStore::holds_sync(std::uint64_t instance) {
  const auto asking = std::find_if(asking_.rbegin(), asking_.rend(), [instance](const Asking& one) {
    return one.instance == instance;
  });
  if (asking != asking_.rend()) return asking->syncs = true;
  if (said_.empty() || stream_.away()) return false;
  syncs_.push_back({last_ticket_, instance});
  return true;
}

bool RoomStore::holds_who(std::uint64_t instance) {
  return ask_names({.instance = instance});
}

bool RoomStore::tells_elsewhere(std::string_view line, const Message& from, std::uint64_t instance,
                                std::uint64_t request) {
  return ask_names({.instance = instance,
                    .request = request,
                    .line = std::string(line),
                    .from = entry_of(from)});
}

// One question for all who ask meanwhile; those for whom there is no room are answered as if the
// store was away.
bool RoomStore::ask_names(Asking asking) {
  const std::size_t size = sizeof asking + asking.line.size();
  if (stream_.away() || size > kMaxAsking - asking_bytes_) return false;
  asking_bytes_ += size;
  asking_.push_back(std::move(asking));
  if (asking_.size() == 1) stream_.list_names();
  return true;
}

void RoomStore::on_names(std::span<const std::string> names) {
  asking_bytes_ = 0;
  const std::set<std::string_view> known(names.begin(), names.end());
  for (const Asking& asking : std::exchange(asking_, {})) {
    asking.line.empty() ? room_.answer_who(asking.instance, names) : pass_on(asking, known);
    if (asking.syncs && !holds_sync(asking.instance)) room_.answer_sync(asking.instance);
  }
}

void RoomStore::pass_on(const Asking& asking, const std::set<std::string_view>& names) {
  const Addressee to =
      addressee_of(asking.line, [&names](const std::string& name) { return names.contains(name); });
  if (to.name.empty()) {
    return room_.refuse_stored(asking.instance, asking.request, why_nobody(asking.line));
  }
  Message message = message_of(asking.from);
  message.text = to.text;
  private_.tell(to.name, message, asking.instance, asking.request);
}

void RoomStore::answer_syncs(std::uint64_t stored) {
  while (!syncs_.empty() && syncs_.front().ticket <= stored) {
    room_.answer_sync(syncs_.front().instance);
    syncs_.pop_front();
  }
}

void RoomStore::when_settled(std::function<void()> then) {
  if (!stream_.settling()) return then();
  then_ = std::move(then);
}

// ---- names

// The owner of a name is the member, not the server: a member that comes from another server has it
// already. The holder of the key for a name takes it from anybody else.
void RoomStore::claim(const std::string& name, std::uint64_t instance, bool proved) {
  stream_.claim({name, fmt::format("{:016x}", instance), proved});
}

void RoomStore::free(const std::string& name, bool quit) {
  quit ? stream_.release(name) : stream_.let_lapse(name);
}

void RoomStore::on_name(const std::string& name, bool granted, const std::string&) {
  if (granted) return;
  const std::string other = room_.give_other_name(name);
  if (other.empty()) return;
  host_.log().notice(fmt::format(
      "the name '{}' is taken on another server: the member here is now {}", name, other));
}

void RoomStore::on_store_failed(ExitStatus status, const std::string& error) {
  host_.finish(status, error);
}

}  // namespace netkit::chat
