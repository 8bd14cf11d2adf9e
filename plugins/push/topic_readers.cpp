#include <algorithm>
#include <push/topic.hpp>
#include <push/topic_readers.hpp>

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
  Newest& newest = last_[std::string(topic)];
  if (newest.number < number) newest = {number, encoded(record_of(number, topic, text))};
}

// As it is sent: with its topic it may be longer than a message can be. Until the next call.
std::string_view TopicReaders::said(std::uint64_t number, std::string_view topic,
                                    std::string_view text) {
  encode(record_of(number, topic, text), message_);
  if (message_.size() > server_.options().max_message) encode(missing(number, number), message_);
  return message_;
}

void TopicReaders::publish(std::uint64_t number, std::string_view topic, std::string_view text) {
  remember(number, topic, text);
  if (runs_.empty() || runs_.back().topic != topic) begin_run(number, topic);
  if (groups_.empty()) return;
  const std::string_view message = said(number, topic, text);
  for (auto& [topics, group] : groups_) {
    if (matches(topics, topic)) group.channel->append(message);
  }
}

void TopicReaders::begin_run(std::uint64_t number, std::string_view topic) {
  while (runs_.size() > 1 && runs_[1].number <= all_.first_kept()) runs_.pop_front();
  runs_.push_back({number, std::string(topic)});
}

void TopicReaders::lose(std::uint64_t from, std::uint64_t to) {
  const std::string message = encoded(missing(from, to));
  for (auto& [topics, group] : groups_) group.channel->append(message);
}

// What is kept from `first` on.
void TopicReaders::replay(const std::vector<std::string>& topics, std::uint64_t first,
                          std::vector<std::string>& messages) {
  std::size_t run = 0;
  all_.for_each_kept(first, [&](std::uint64_t number, std::string_view text) {
    if (number > first) messages.push_back(encoded(missing(first, number - 1)));
    first = number + 1;
    while (run + 1 < runs_.size() && runs_[run + 1].number <= number) ++run;
    const std::string& topic = runs_[run].topic;
    if (matches(topics, topic)) messages.emplace_back(said(number, topic, text));
  });
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
  std::vector<const Newest*> newest;
  for (const auto& [topic, record] : last_) {
    if (matches(group.topics, topic)) newest.push_back(&record);
  }
  std::ranges::sort(newest, {}, &Newest::number);
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
  group_by_session_[session.index] = &group;
  std::vector<std::string> messages;
  std::uint64_t first = next;
  if (since == 0) {
    messages = newest_of(group);
  } else {
    const std::uint64_t kept = all_.first_kept();
    const std::uint64_t oldest =
        kept == 0 ? next : std::max(kept, next - std::min<std::uint64_t>(options_.keep, next));
    first = since == Request::kAll ? oldest : std::min(since, next);
    if (first < oldest) messages.push_back(encoded(missing(first, oldest - 1)));
    replay(topics, std::max(first, oldest), messages);
  }
  messages.push_back(encoded(
      Record{.kind = Record::Kind::caught_up, .number = next, .last = 0, .topic = {}, .text = {}}));
  server_.send(session, messages);
  return first;
}

void TopicReaders::remove(datagram::SessionRef session) {
  const auto found = group_by_session_.find(session.index);
  if (found == group_by_session_.end()) return;
  Group& group = *found->second;
  group_by_session_.erase(found);
  std::erase(group.sessions, session);
  if (group.sessions.empty()) groups_.erase(groups_.find(group.topics));
}

}  // namespace netkit::push
