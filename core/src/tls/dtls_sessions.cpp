#include "tls/dtls_sessions.hpp"

#include <utility>

namespace netkit::tls {
namespace {

// Beyond this, clients that come back exchange keys again.
constexpr std::size_t kMostSessions = 65536;

}  // namespace

void DtlsSessions::keep(const std::string& identity, const PskKey& key, SessionPtr session) {
  unsigned size = 0;
  const unsigned char* const bytes = SSL_SESSION_get_id(session.get(), &size);
  if (size == 0) return;
  const auto known = ids_.find(identity);
  if (known != ids_.end()) {
    by_id_.erase(known->second);
    ids_.erase(known);
  }
  if (ids_.size() >= kMostSessions) {
    by_id_.erase(ids_.begin()->second);
    ids_.erase(ids_.begin());
  }
  std::string id(reinterpret_cast<const char*>(bytes), size);
  ids_.emplace(identity, id);
  by_id_.insert_or_assign(std::move(id), Kept{identity, key, std::move(session)});
}

const DtlsSessions::Kept* DtlsSessions::find(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  return found == by_id_.end() ? nullptr : &found->second;
}

const DtlsSessions::Kept* DtlsSessions::find(const PskIdentity& of) const {
  const auto known = ids_.find(of.name);
  const Kept* const kept = known == ids_.end() ? nullptr : find(known->second);
  return kept != nullptr && kept->key == of.key ? kept : nullptr;
}

}  // namespace netkit::tls
