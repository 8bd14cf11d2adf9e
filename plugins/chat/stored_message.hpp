// How a message is stored: netkit-store(7). Pure; any thread.
#pragma once

#include <chat/payload.hpp>
#include <cstdint>
#include <string_view>

#include <netkit/store/engine.hpp>

namespace netkit::chat {

// The value of a numeric field; 0 if it is not a number.
std::uint64_t number_of(const store::Entry& entry, std::string_view field);
// The entry's bytes outlive the message.
Message message_of(const store::Entry& entry);
store::Entry entry_of(const Message& message);

}  // namespace netkit::chat
