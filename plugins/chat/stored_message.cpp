#include <algorithm>
#include <chat/stored_message.hpp>
#include <chrono>
#include <string>

#include <netkit/util/text.hpp>

namespace netkit::chat {

std::uint64_t number_of(const store::Entry& entry, std::string_view field) {
  return read_integer<std::uint64_t>(entry.field(field)).value_or(0);
}

// The entry's bytes outlive the message.
Message message_of(const store::Entry& entry) {
  const auto since =
      std::chrono::duration_cast<std::chrono::microseconds>(entry.time.time_since_epoch()).count();
  const std::string_view name = entry.field("name");
  return {
      .flags = entry.field("action").empty() ? std::uint8_t{0} : Message::kAction,
      .member = static_cast<std::uint32_t>(number_of(entry, "member")),
      .time_us = std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(since, 0)), kMaxTime),
      .name = why_not_a_name(name).empty() ? name : "somebody",
      .text = entry.text};
}

store::Entry entry_of(const Message& message) {
  store::Entry entry{
      .time = WallTime(std::chrono::microseconds(message.time_us)),
      .text = std::string(message.text),
      .fields = {{"name", std::string(message.name)}, {"member", std::to_string(message.member)}}};
  if ((message.flags & Message::kAction) != 0) entry.fields.push_back({"action", "1"});
  return entry;
}

}  // namespace netkit::chat
