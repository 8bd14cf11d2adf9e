// Addresses as users type them, and what they resolve to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/net/endpoint.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

class EventLoop;

// Which of a name's addresses count: -4, -6.
enum class AddressFamily : std::uint8_t { any, v4, v6 };

enum class AddressRole : std::uint8_t {
  client,  // `PORT` and `:PORT` mean loopback
  server,  // `PORT` means loopback; `:PORT` means every interface
  // The same, and `udp:ADDRESS`, `tcp:ADDRESS`, `unix:PATH` and `serial:DEVICE,SETTINGS` as well.
  any_client,
  any_server,
};

// What carries the bytes.
enum class Transport : std::uint8_t { tcp, udp, unix_socket, serial };

// Of a serial line, `115200,8n1,rs485`: each may be left out.
struct NETKIT_API SerialSettings {
  std::uint32_t speed = 115'200;  // bits a second
  std::uint8_t data_bits = 8;     // 5 to 8
  char parity = 'n';              // none, even, odd
  std::uint8_t stop_bits = 1;     // 1 or 2
  bool rs485 = false;             // the driver turns the sender on and off

  std::string to_string() const;
  friend bool operator==(const SerialSettings&, const SerialSettings&) = default;
};

// A host and a port as written. `host` is empty for `:PORT`, `127.0.0.1` for `PORT`, a name, or
// numeric text without brackets.
struct NETKIT_API AddressSpec {
  std::string host;
  std::uint16_t port = 0;
  bool every_interface = false;  // `:PORT` of a server: 0.0.0.0 and [::], by two sockets
  AddressFamily family = AddressFamily::any;
  // What a client sends from (--bind), by family; empty: the system chooses.
  std::vector<Endpoint> sources{};
  Transport transport = Transport::tcp;  // another one only by the roles that say so
  std::string path{};                    // of a unix socket or a serial device
  SerialSettings serial{};

  // Reads `HOST:PORT`, `[v6]:PORT`, `[fe80::1%eth0]:PORT`, `:PORT`, `PORT`; PORT is 0 to 65535 or a
  // service name (/etc/services). `default_port` is used for a host alone where one is given
  // (`HOST`, `[v6]`); without it a word alone is a service name or refused. Throws UsageError with
  // the spelling that works, e.g. for `::1:80`: "write [::1]:80". Any thread.
  static AddressSpec parse(std::string_view text, AddressRole role,
                           std::optional<std::uint16_t> default_port = std::nullopt);
  // `HOST PORT` as two words.
  static AddressSpec parse(std::string_view host, std::string_view port, AddressRole role);

  // `ADDRESS,ADDRESS…`: the settings of a serial line belong to it, commas or not. Throws
  // UsageError.
  static std::vector<AddressSpec> parse_list(std::string_view list, AddressRole role);

  // As a user would type it: `localhost:80`, `[::1]:80`, `:80`.
  std::string to_string() const;
  friend bool operator==(const AddressSpec&, const AddressSpec&) = default;
};

// Reads `--bind`: an address of this machine, a port (`:5000`, `5000`), or both. Returns one
// endpoint for each family it may be. Throws UsageError. Any thread.
NETKIT_API std::vector<Endpoint> read_sources(std::string_view text);

// Takes the address from the front of a command's positional arguments: one word, or `HOST PORT`
// when the first is a host without a port and the second is a number or a service name (so `mysql
// 3306` is a host and its port, though mysql is a service as well). Erases what it took. `fallback`
// is read when there is no argument at all. Throws UsageError.
NETKIT_API AddressSpec take_address(std::vector<std::string>& arguments, AddressRole role,
                                    std::string_view fallback = {});

// The same for a client that may be given several servers: one word `ADDRESS,ADDRESS…`, or what
// take_address() takes. Throws UsageError.
NETKIT_API std::vector<AddressSpec> take_addresses(std::vector<std::string>& arguments,
                                                   std::string_view fallback = {});

// Every address of the host, in the order of preference that the system gives (RFC 6724),
// duplicates removed; of localhost (RFC 6761) the IPv4 ones first, and 127.0.0.1 where the system
// does not know it. Blocks while DNS answers, so only for set-up. Loopback for an empty host
// (both families for `every_interface`: 0.0.0.0 and ::). Throws Error with ExitStatus::name:
// "cannot resolve 'HOST': REASON".
NETKIT_API std::vector<Endpoint> resolve(const AddressSpec& spec);
// The addresses of several servers, in order; at least one server must have some.
NETKIT_API std::vector<Endpoint> resolve(const std::vector<AddressSpec>& specs);

// Resolution on a separate thread (started with the first name; numeric hosts need none and are
// answered by post()). [loop] Destroying it drops what is under way; a query that hangs in the
// system's resolver does not delay the destructor.
class NETKIT_API AsyncResolver {
 public:
  // `error` is empty when it worked; otherwise the sentence that resolve() would throw.
  using Callback = std::function<void(std::vector<Endpoint> endpoints, std::string error)>;

  explicit AsyncResolver(EventLoop& loop);
  ~AsyncResolver();
  void resolve(const AddressSpec& spec, Callback callback);
  void cancel();  // callbacks of earlier resolve() calls are dropped

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace netkit
