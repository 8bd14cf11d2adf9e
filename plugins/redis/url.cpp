#include <redis/url.hpp>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::redis {

namespace {

constexpr std::uint16_t kPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw UsageError(
      fmt::format("'{}': {} (write redis://HOST:PORT/PREFIX)", escaped_text(text), why));
}

void read_settings(Url& url, std::string_view query, std::string_view text) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view setting = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    constexpr std::string_view kSentinel = "sentinel=";
    if (!setting.starts_with(kSentinel) || setting.size() == kSentinel.size()) {
      refuse(text, "the only setting is ?sentinel=NAME");
    }
    url.sentinel = setting.substr(kSentinel.size());
  }
}

}  // namespace

Url Url::parse(std::string_view text) {
  Url url;
  std::string_view rest = text;
  url.tls = rest.starts_with("rediss:");
  rest.remove_prefix(rest.find(':') + 1);
  if (!rest.starts_with("//")) refuse(text, "is no URL");
  rest.remove_prefix(2);
  if (const std::size_t query = rest.find('?'); query != std::string_view::npos) {
    read_settings(url, rest.substr(query + 1), text);
    rest = rest.substr(0, query);
  }
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash + 1 == rest.size()) {
    refuse(text, "has no prefix for its keys");
  }
  url.prefix = rest.substr(slash + 1);
  // What stands in braces is all that a cluster makes the slot of.
  if (url.prefix.find_first_of("{}") != std::string::npos)
    refuse(text, "a prefix cannot contain braces");
  rest = rest.substr(0, slash);
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    url.user = rest.substr(0, at);
    rest.remove_prefix(at + 1);
  }
  if (rest.empty()) refuse(text, "has no host");
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    url.servers.push_back(AddressSpec::parse(rest.substr(0, comma), AddressRole::client,
                                             url.sentinel.empty() ? kPort : kSentinelPort));
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  return url;
}

Keys::Keys(std::string_view prefix, std::string_view name)
    : stream(fmt::format("{}:{}", prefix, name)), tag_(fmt::format("{{{}}}", stream)) {
  state = tag_ + ":state";
  last = tag_ + ":last";
  names = tag_ + ":names";
}

std::string Keys::name(std::string_view name) const {
  return fmt::format("{}:name:{}", tag_, name);
}

}  // namespace netkit::redis
