// `redis://[USER@]HOST:PORT[,HOST:PORT…]/PREFIX[?sentinel=NAME]`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/address_spec.hpp>

namespace netkit::redis {

struct Url {
  bool tls = false;  // rediss:
  std::string user{};
  std::vector<AddressSpec> servers{};  // of Redis; with `sentinel` of Sentinel
  std::string prefix{};
  std::string sentinel{};  // the name of the master; empty: none is asked for it

  // Throws UsageError. Any thread.
  static Url parse(std::string_view text);
};

// The keys of a stream, all in one slot of a cluster. Any thread.
struct Keys {
  Keys(std::string_view prefix, std::string_view stream);
  std::string stream;  // PREFIX:STREAM, the stream itself
  std::string state;   // a hash: stream, epoch, n, writer:ID
  std::string last;    // a hash: the last entry of each topic
  std::string names;   // a sorted set: the names that somebody has, and until when
  std::string name(std::string_view name) const;

 private:
  std::string tag_;
};

}  // namespace netkit::redis
