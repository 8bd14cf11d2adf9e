// A room whose messages are ordered by a store, so that several servers are one room.
#pragma once

#include <chat/private_store.hpp>
#include <chat/room_server.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <netkit/net/endpoint.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/store/stream.hpp>

namespace netkit::chat {

// [loop] Messages go to the store, and to the members when they come from there. While the store is
// away the room continues for its own members.
class RoomStore final : private store::Stream::Handler {
 public:
  // `on_open` is called once, when the store is there and its messages have been given to the room.
  // All references outlive it. Throws Error.
  RoomStore(Host& host, const store::Stream::Options& options, RoomServer& room,
            std::function<void()> on_open);
  void open() {
    stream_.open();
    private_.open();
  }

  Room::Handler::Placing place(const Message& message, const Endpoint& peer, std::uint64_t instance,
                               std::uint64_t request);
  void claim(const std::string& name, std::uint64_t instance, bool proved);
  void free(const std::string& name, bool quit);
  // The answer follows when all messages so far have their place.
  bool holds_sync(std::uint64_t instance);
  // The answer follows when the store has told who is at other servers.
  bool holds_who(std::uint64_t instance);
  // A private message to somebody who is not here: it goes to the addressee's server, or `from` is
  // refused.
  bool tells_elsewhere(std::string_view line, const Message& from, std::uint64_t instance,
                       std::uint64_t request);
  // Calls `then` when all messages are in the store, or cannot be stored for now.
  void when_settled(std::function<void()> then);
  const store::Stream& stream() const { return stream_; }

 private:
  void on_store_open() override;
  void on_entry(const store::Entry& entry, std::uint64_t ticket) override;
  void on_stored(std::uint64_t ticket) override;
  void on_refused(std::uint64_t ticket, std::string_view why) override;
  void on_store_change() override;
  void on_name(const std::string& name, bool granted, const std::string& holder) override;
  void on_names(std::span<const std::string> names) override;
  void on_store_failed(ExitStatus status, const std::string& error) override;

  void go_on_alone();
  void answer_syncs(std::uint64_t stored);

  // Messages from here that have not come back from the store yet.
  struct Said {
    store::Entry entry;
    Endpoint peer;
    bool heard = false;  // by the members here, without a number
  };
  // Who asks who is here, or tells somebody who is at another server something.
  struct Asking {
    std::uint64_t instance;
    std::uint64_t request = 0;
    std::string line{};   // empty: he asks
    store::Entry from{};  // without a text
    bool syncs = false;   // his Sync stands behind that
  };
  bool ask_names(Asking asking);
  void pass_on(const Asking& asking, const std::set<std::string_view>& names);
  struct Sync {
    std::uint64_t ticket;
    std::uint64_t instance;
  };

  Host& host_;
  RoomServer& room_;
  std::function<void()> on_open_;
  std::map<std::uint64_t, Said> said_;  // by their tickets
  std::uint64_t last_ticket_ = 0;
  std::deque<Sync> syncs_;
  std::vector<Asking> asking_;
  std::size_t asking_bytes_ = 0;
  std::function<void()> then_;
  bool alone_ = false;  // it has been said
  PrivateStore private_;
  store::Stream stream_;
};

}  // namespace netkit::chat
