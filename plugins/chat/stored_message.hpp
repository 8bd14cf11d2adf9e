// How a message stands in a store: netkit-store(7). Pure; any thread.
#pragma once

#include <chat/payload.hpp>
#include <cstdint>
#include <string_view>

#include <netkit/store/engine.hpp>

namespace netkit::chat {

// A field that is a number; 0: it is none.
std::uint64_t number_of(const store::Entry& entry, std::string_view field);
// The entry's bytes outlive the message.
Message message_of(const store::Entry& entry);
store::Entry entry_of(const Message& message);

}  // namespace netkit::chat
