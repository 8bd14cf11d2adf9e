// Names to addresses.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Every address of the host, in the order of preference that the system gives (RFC 6724),
// duplicates removed; of localhost (RFC 6761) the IPv4 ones first, and 127.0.0.1 where the system
// does not know it. Blocks while DNS answers, so only for set-up. Loopback for an empty host
// (both families for `every_interface`: 0.0.0.0 and ::). Throws Error with ExitStatus::name:
// "cannot resolve 'HOST': REASON".
NETKIT_API std::vector<Endpoint> resolve(const AddressSpec& spec);

// Resolution on a thread of its own (started with the first name; numeric hosts need none and are
// answered by post()). [loop] Destroying it drops what is under way; a query that hangs in the
// system's resolver does not delay the destructor.
class NETKIT_API AsyncResolver {
 public:
  // `error` is empty when it worked; otherwise the sentence that resolve() would throw.
  using Callback = std::function<void(std::vector<Endpoint> endpoints, std::string error)>;

  explicit AsyncResolver(EventLoop& loop);
  ~AsyncResolver();
  void resolve(const AddressSpec& spec, Callback callback);
  void cancel();  // no callback of an earlier resolve() is made any more

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace netkit
