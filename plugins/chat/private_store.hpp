// Private messages between members of different servers, by way of their store.
#pragma once

#include <chat/room_server.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <netkit/plugin/host.hpp>
#include <netkit/store/stream.hpp>

namespace netkit::chat {

// [loop] A stream of its own, `chat-private`, so that the numbers of the room's messages have no
// gaps and its history shows none of these. Each server reads it, and delivers what is for its own
// members.
class PrivateStore final : private store::Stream::Handler {
 public:
  // `options`: of the room's stream, which reports what happens to the store. All references
  // outlive it. Throws Error.
  PrivateStore(Host& host, store::Stream::Options options, RoomServer& room);
  void open() { stream_.open(); }
  // Sends a request of the member `instance`, which is told if it cannot be stored.
  void tell(std::string_view to, const Message& message, std::uint64_t instance,
            std::uint64_t request);

 private:
  void on_store_open() override {}
  void on_entry(const store::Entry& entry, std::uint64_t ticket) override;
  void on_stored(std::uint64_t ticket) override;
  void on_refused(std::uint64_t ticket, std::string_view why) override;
  void on_store_failed(ExitStatus, const std::string&) override {}

  struct Asked {
    std::uint64_t instance;
    std::uint64_t request;
  };

  RoomServer& room_;
  Log silent_{"", LogLevel::error};
  std::map<std::uint64_t, Asked> asked_;  // by their tickets, until they are stored
  store::Stream stream_;
};

}  // namespace netkit::chat
