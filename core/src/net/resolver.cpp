// getaddrinfo and not Poco::Net::DNS: that one drops the scope of link-local addresses and the
// system's order of preference, and folds the resolver's reasons into one.
#include "util/blocking_call.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <future>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <optional>
#include <pthread.h>
#include <strings.h>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

void add_unique(std::vector<Endpoint>& list, const Endpoint& endpoint) {
  if (std::find(list.begin(), list.end(), endpoint) == list.end()) list.push_back(endpoint);
}

bool is_wanted(const AddressSpec& spec, const Endpoint& endpoint) {
  return spec.family == AddressFamily::any ||
         endpoint.is_v4() == (spec.family == AddressFamily::v4);
}

// What needs no resolver: no host, or a numeric one. `error` is set where it is of a family that is
// not wanted.
std::vector<Endpoint> resolve_numeric(const AddressSpec& spec, std::string& error) {
  using Family = IpAddress::Family;
  std::vector<Endpoint> endpoints;
  if (spec.every_interface) {
    endpoints = {Endpoint(IpAddress::any(Family::v4), spec.port),
                 Endpoint(IpAddress::any(Family::v6), spec.port)};
  } else if (spec.host.empty()) {
    endpoints = {Endpoint(IpAddress::loopback(Family::v4), spec.port)};
    if (spec.family == AddressFamily::v6) {
      endpoints = {Endpoint(IpAddress::loopback(Family::v6), spec.port)};
    }
  } else if (const auto address = IpAddress::parse(spec.host)) {
    endpoints = {Endpoint(*address, spec.port)};
  } else {
    return {};
  }
  std::erase_if(endpoints, [&spec](const Endpoint& one) { return !is_wanted(spec, one); });
  if (endpoints.empty()) {
    error = fmt::format("'{}' is not an IPv{} address", spec.host,
                        spec.family == AddressFamily::v4 ? 4 : 6);
  }
  return endpoints;
}

std::string reason_of(int code) {
  std::string text = code == EAI_SYSTEM ? error_text(errno) : ::gai_strerror(code);
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

std::string unresolved(const AddressSpec& spec, std::string_view why) {
  return fmt::format("cannot resolve '{}': {}", spec.host, why);
}

// Names of this machine, whatever the system's resolver knows of them (RFC 6761, section 6.3).
bool is_localhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < kName.size()) return false;
  const std::string_view prefix = host.substr(0, host.size() - kName.size());
  return ::strncasecmp(host.data() + prefix.size(), kName.data(), kName.size()) == 0 &&
         (prefix.empty() || prefix.ends_with('.'));
}

std::vector<Endpoint> query(const AddressSpec& spec, std::string& error) {
  addrinfo hints{};
  hints.ai_family = spec.family == AddressFamily::v4   ? AF_INET
                    : spec.family == AddressFamily::v6 ? AF_INET6
                                                       : AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;  // one entry per address instead of one per socket type
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(spec.host.c_str(), nullptr, &hints, &list);
  if (code != 0) {
    error = unresolved(spec, reason_of(code));
    return {};
  }
  std::vector<Endpoint> endpoints;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    if (const auto endpoint = Endpoint::from_sockaddr(entry->ai_addr, entry->ai_addrlen)) {
      add_unique(endpoints, endpoint->with_port(spec.port));
    }
  }
  ::freeaddrinfo(list);
  if (endpoints.empty()) error = unresolved(spec, "it has no IP address");
  return endpoints;
}

// 127.0.0.1 comes first: what listens on this machine only, listens there more often than on ::1,
// and a datagram's sender learns late or never that it was wrong.
std::vector<Endpoint> look_up(const AddressSpec& spec, std::string& error) {
  std::vector<Endpoint> endpoints = query(spec, error);
  if (!is_localhost(spec.host)) return endpoints;
  if (endpoints.empty()) {
    error.clear();
    const bool v6 = spec.family == AddressFamily::v6;
    return {Endpoint(IpAddress::loopback(v6 ? IpAddress::Family::v6 : IpAddress::Family::v4),
                     spec.port)};
  }
  std::stable_partition(endpoints.begin(), endpoints.end(), [](const Endpoint& endpoint) {
    return endpoint.address().family() == IpAddress::Family::v4;
  });
  return endpoints;
}

// Gives what look_up() finds to `deliver`, on a detached thread: getaddrinfo cannot be interrupted,
// and nobody should wait for it at the end.
template <typename Deliver>
void look_up_apart(const AddressSpec& spec, const Deliver& deliver) {
  const auto work = [spec, deliver] {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "netkit/resolver");
    std::string error;
    std::vector<Endpoint> endpoints = look_up(spec, error);
    deliver(std::move(endpoints), std::move(error));
  };
  try {
    std::thread(work).detach();
  } catch (const std::system_error& error) {  // no more threads just now
    deliver({}, unresolved(spec, error_text(error.code().value())));
  }
}

std::vector<Endpoint> look_up_in_time(const AddressSpec& spec, std::string& error) {
  const BlockingCall blocking;
  if (BlockingCall::deadline() == TimePoint::max()) return look_up(spec, error);
  using Answer = std::pair<std::vector<Endpoint>, std::string>;
  const auto promise = std::make_shared<std::promise<Answer>>();
  std::future<Answer> answer = promise->get_future();
  look_up_apart(spec, [promise](std::vector<Endpoint> endpoints, std::string why) {
    promise->set_value({std::move(endpoints), std::move(why)});
  });
  if (answer.wait_until(BlockingCall::deadline()) != std::future_status::ready) {
    throw Error(ExitStatus::timeout, unresolved(spec, "--timeout has passed"));
  }
  std::vector<Endpoint> endpoints;
  std::tie(endpoints, error) = answer.get();
  return endpoints;
}

}  // namespace

std::vector<Endpoint> resolve(const AddressSpec& spec) {
  std::string error;
  std::vector<Endpoint> endpoints = resolve_numeric(spec, error);
  if (endpoints.empty() && error.empty()) endpoints = look_up_in_time(spec, error);
  if (endpoints.empty()) throw Error(ExitStatus::name, error);
  return endpoints;
}

std::vector<Endpoint> resolve(const std::vector<AddressSpec>& specs) {
  std::vector<Endpoint> all;
  std::optional<Error> failure;
  for (const AddressSpec& spec : specs) {
    try {
      for (const Endpoint& endpoint : resolve(spec)) add_unique(all, endpoint);
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
  }
  if (all.empty() && failure) throw Error(*failure);
  return all;
}

std::vector<Endpoint> read_sources(std::string_view text) {
  const bool is_port = read_integer<std::uint16_t>(text).has_value();
  std::string error;
  auto sources = resolve_numeric(
      AddressSpec::parse(is_port ? fmt::format(":{}", text) : text, AddressRole::server, 0), error);
  if (!sources.empty()) return sources;
  throw UsageError(fmt::format(
      "'{}' is not an address of this machine (write 192.0.2.1, [2001:db8::1] or :PORT)", text));
}

// Shared with the threads that wait for the system's resolver: they may outlive the AsyncResolver
// and its loop.
struct AsyncResolver::Impl {
  std::mutex mutex;
  EventLoop* loop = nullptr;     // under mutex; null once the AsyncResolver is gone
  std::uint64_t generation = 0;  // [loop] counts up when earlier queries are cancelled
};

AsyncResolver::AsyncResolver(EventLoop& loop) : impl_(std::make_shared<Impl>()) {
  impl_->loop = &loop;
}

AsyncResolver::~AsyncResolver() {
  cancel();
  const std::lock_guard lock(impl_->mutex);
  impl_->loop = nullptr;
}

void AsyncResolver::cancel() {
  ++impl_->generation;
}

void AsyncResolver::resolve(const AddressSpec& spec, Callback callback) {
  const auto deliver = [impl = impl_, generation = impl_->generation,
                        callback = std::move(callback)](std::vector<Endpoint> endpoints,
                                                        std::string error) {
    const std::lock_guard lock(impl->mutex);
    if (impl->loop == nullptr) return;
    impl->loop->post(
        [impl, generation, callback, endpoints = std::move(endpoints), error = std::move(error)] {
          if (impl->generation == generation) callback(endpoints, error);
        });
  };
  std::string numeric_error;
  std::vector<Endpoint> numeric = resolve_numeric(spec, numeric_error);
  if (!numeric.empty() || !numeric_error.empty()) {
    deliver(std::move(numeric), std::move(numeric_error));
    return;
  }
  look_up_apart(spec, deliver);
}

}  // namespace netkit
