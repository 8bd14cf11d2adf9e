#include <push/subscriber_table.hpp>

#include <netkit/util/slot_list.hpp>

namespace netkit::push {

Subscriber* SubscriberTable::find_name(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &found->second;
}

Subscriber* SubscriberTable::find_plain(const Endpoint& address) {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? nullptr : found->second;
}

Subscriber* SubscriberTable::find_session(datagram::SessionRef session) {
  if (session.index >= by_session_.size()) return nullptr;
  Subscriber* subscriber = by_session_[session.index];
  return subscriber != nullptr && subscriber->session == session ? subscriber : nullptr;
}

Subscriber& SubscriberTable::add(std::string_view name, const datagram::Path& path,
                                 datagram::SessionRef session) {
  // What can fail for lack of memory comes first, or is undone.
  if (session) {
    if (session.index >= by_session_.size()) by_session_.resize(session.index + 1);
  } else {
    reserve_for(plain_.size() + 1, plain_);
    reserve_for(plain_owner_.size() + 1, plain_owner_);
  }
  const auto [at, added] = by_name_.try_emplace(std::string(name));
  Subscriber& subscriber = at->second;
  subscriber.name = at->first;
  subscriber.address = path.peer;
  subscriber.session = session;
  subscriber.number = ++last_number_;
  if (!subscriber.plain()) {
    by_session_[session.index] = &subscriber;
    return subscriber;
  }
  try {
    by_address_.emplace(path.peer, &subscriber);
  } catch (...) {
    by_name_.erase(at);
    throw;
  }
  subscriber.plain_index = static_cast<std::uint32_t>(plain_.size());
  plain_.push_back(path);
  plain_owner_.push_back(&subscriber);
  return subscriber;
}

void SubscriberTable::remove(Subscriber& subscriber) {
  if (subscriber.plain()) {
    const std::uint32_t hole = subscriber.plain_index;
    by_address_.erase(subscriber.address);
    plain_[hole] = plain_.back();
    plain_owner_[hole] = plain_owner_.back();
    plain_owner_[hole]->plain_index = hole;
    plain_.pop_back();
    plain_owner_.pop_back();
  } else {
    by_session_[subscriber.session.index] = nullptr;
  }
  by_name_.erase(by_name_.find(subscriber.name));
}

}  // namespace netkit::push
