#include <cstddef>
#include <redis/meaning.hpp>

namespace netkit::redis {

namespace {

struct Meaning {
  std::string_view word;
  std::string_view why;
};

constexpr Meaning kUnavailable[] = {{"LOADING", "is loading its data"},
                                    {"READONLY", "is a read-only replica"},
                                    {"MASTERDOWN", "is a replica that has lost its master"},
                                    {"CLUSTERDOWN", "is a cluster that is down"},
                                    {"TRYAGAIN", "is a cluster that moves its keys"},
                                    {"BUSY ", "is busy with a script"},
                                    {"NOSCRIPT", "has forgotten a script"}};
constexpr Meaning kRefused[] = {{"OOM", "its memory is full (maxmemory)"},
                                {"MISCONF", "it cannot save to its disk"},
                                {"NOREPLICAS", "it has too few replicas"}};

// The word is not always in front, as a script's own text may stand there.
template <std::size_t size>
std::string_view meaning_of(std::string_view error, const Meaning (&table)[size]) {
  for (const Meaning& one : table) {
    if (error.find(one.word) != std::string_view::npos) return one.why;
  }
  return {};
}

}  // namespace

std::string_view why_unavailable(std::string_view error) {
  return meaning_of(error, kUnavailable);
}

std::string_view why_refused(std::string_view error) {
  return meaning_of(error, kRefused);
}

}  // namespace netkit::redis
