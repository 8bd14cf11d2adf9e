// A room under requests, datagrams and departures in any order: every member that it counts can be
// found, and everybody is gone in the end. Each step is a byte what, a byte who, a byte how long
// the text is, and the text.
#include "fuzz/script.hpp"

#include <chat/room.hpp>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

namespace {

using namespace netkit::chat;  // NOLINT(google-build-using-namespace)

class Nobody final : public Room::Handler {
 public:
  void say(const Message&) override {}
  void notify(const FromRoom&) override {}
  void tell(Slot, std::span<const FromRoom>) override {}
  void say_plain(std::string_view) override {}
  void tell_plain(const netkit::datagram::Path&, std::string_view) override {}
  void on_plain_change() override {}
  void on_replaced(Slot) override {}
  void on_displaced(Slot) override {}
  void on_put_out(Slot, LeaveReason) override {}
  void on_event(const FromRoom&, std::uint64_t, const netkit::Endpoint&) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Nobody nobody;
  Room room({.plain_template = netkit::Template::parse("[{name}] {text}\n", "--template"),
             .max_members = 40,
             .rate = 100,
             .remember = 4},
            nobody);
  netkit::fuzz::Script script(data, size);
  const auto loopback = netkit::IpAddress::loopback(netkit::IpAddress::Family::v4);
  std::set<Slot> native;
  netkit::TimePoint now{};
  while (!script.done()) {
    const std::uint8_t what = script.byte();
    const std::uint8_t who = script.byte();
    const std::string_view text = script.text();
    now += std::chrono::milliseconds(what);
    const netkit::Endpoint peer(loopback, who);
    const Slot slot = native.empty() ? kNoSlot : *native.begin();
    if (what % 5 == 0) {
      room.on_plain(peer, text, true, now, {});
    } else if (what % 5 == 1) {
      Hello hello;
      hello.instance = who;
      hello.name = text;
      const auto entry = room.join(hello, peer, now);
      if (entry.slot != kNoSlot) native.insert(entry.slot);
    } else if (what % 5 == 2 && slot != kNoSlot) {
      room.on_request(slot, decode_request(text), now, {});
    } else if (what % 5 == 3 && slot != kNoSlot) {
      room.leave(slot, LeaveReason::quit);
      native.erase(slot);
    } else {
      room.tick(now);
    }
    if (room.members() != native.size() + room.plain_members()) std::abort();
  }
  for (const Slot slot : native) room.leave(slot, LeaveReason::lease);
  room.tick(now + std::chrono::hours(1));
  if (room.members() != 0) std::abort();
  return 0;
}
