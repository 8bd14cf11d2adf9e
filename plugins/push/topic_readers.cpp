#include <algorithm>
#include <push/topic.hpp>
#include <push/topic_readers.hpp>
#include <utility>

namespace netkit::push {

namespace {

std::string encoded(const Record& record) {
  std::string out;
  encode(record, out);
  return out;
}

Record record_of(std::uint64_t number, std::string_view topic, std::string_view text) {
  return {.number = number, .last = 0, .topic = topic, .text = text};
}

Record missing(std::uint64_t from, std::uint64_t to) {
  return {.kind = Record::Kind::missing, .number = from, .last = to, .topic = {}, .text = {}};
}

}  // namespace

void TopicReaders::remember(std::uint64_t number, std::string_view topic, std::string_view text) {
  if (!options_.last) return;
  if (last_.size() >= options_.keep && !last_.contains(topic)) return;
  Kept& newest = last_[std::string(topic)];
  if (newest.number < number)
    newest = {number, std::string(topic), encoded(record_of(number, topic, text))};
}

void TopicReaders::publish(std::uint64_t number, std::string_view topic, std::string_view text) {
  remember(number, topic, text);
  // The memory of the one that was dropped last.
  Kept kept = std::exchange(spare_, {});
  kept.number = number;
  kept.topic = topic;
  kept.for_all = false;
  encode(record_of(number, topic, text), kept.message);
  // With its topic it may be longer than a message can be.
  if (kept.message.size() > server_.options().max_message) {
    encode(missing(number, number), kept.message);
  }
  keep(std::move(kept));
}

void TopicReaders::lose(std::uint64_t from, std::uint64_t to) {
  keep({to, {}, encoded(missing(from, to)), true});
}

void TopicReaders::keep(Kept kept) {
  for (auto& [topics, group] : groups_) {
    if (kept.for_all || matches(topics, kept.topic)) group.channel->append(kept.message);
  }
  if (kept_.empty()) dropped_ = std::max(dropped_, kept.number - 1);
  bytes_ += kept.message.size();
  kept_.push_back(std::move(kept));
  while (!kept_.empty() && (kept_.size() > options_.keep || bytes_ > options_.keep_bytes)) {
    bytes_ -= kept_.front().message.size();
    dropped_ = kept_.front().number;
    spare_ = std::move(kept_.front());
    kept_.pop_front();
  }
}

void TopicReaders::flush() {
  for (auto& [topics, group] : groups_) group.channel->flush_to(group.sessions);
}

TopicReaders::Group& TopicReaders::group_of(const std::vector<std::string>& topics) {
  Group& group = groups_[topics];
  if (!group.channel) {
    group.topics = topics;
    group.channel =
        std::make_unique<datagram::Channel>(server_, datagram::Channel::Options{.numbered = false});
  }
  return group;
}

std::vector<std::string> TopicReaders::newest_of(const Group& group) const {
  std::vector<const Kept*> newest;
  for (const auto& [topic, kept] : last_) {
    if (matches(group.topics, topic)) newest.push_back(&kept);
  }
  std::ranges::sort(newest, {}, &Kept::number);
  const std::size_t most = std::min(newest.size(), options_.keep);
  std::vector<std::string> messages;
  for (auto one = newest.end() - static_cast<std::ptrdiff_t>(most); one != newest.end(); ++one) {
    messages.push_back((*one)->message);
  }
  return messages;
}

std::uint64_t TopicReaders::add(datagram::SessionRef session,
                                const std::vector<std::string>& topics, std::uint64_t since,
                                std::uint64_t next) {
  Group& group = group_of(topics);
  group.channel->flush_to(group.sessions);  // what was published before is not the newcomer's
  group.sessions.push_back(session);
  std::vector<std::string> messages;
  std::uint64_t first = next;
  if (since == 0) {
    messages = newest_of(group);
  } else {
    const std::uint64_t oldest = kept_.empty() ? next : dropped_ + 1;
    first = since == Request::kAll ? oldest : std::min(since, next);
    if (first < oldest) messages.push_back(encoded(missing(first, oldest - 1)));
    for (const Kept& kept : kept_) {
      const bool is_wanted = kept.for_all || matches(topics, kept.topic);
      if (kept.number >= first && is_wanted) messages.push_back(kept.message);
    }
  }
  messages.push_back(encoded(
      Record{.kind = Record::Kind::caught_up, .number = next, .last = 0, .topic = {}, .text = {}}));
  server_.send(session, messages);
  return first;
}

void TopicReaders::remove(datagram::SessionRef session) {
  for (auto group = groups_.begin(); group != groups_.end(); ++group) {
    if (std::erase(group->second.sessions, session) == 0) continue;
    if (group->second.sessions.empty()) groups_.erase(group);
    return;
  }
}

}  // namespace netkit::push
