// Options, totals and metrics that mean the same in several commands, each defined once. An action
// lists what fits it among its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/net/answer_policy.hpp>
#include <netkit/net/reconnect.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/tls/psk.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// Any thread, like everything here.

// Concatenates the parts.
template <typename Definition>
std::vector<Definition> joined(std::initializer_list<std::vector<Definition>> parts) {
  std::vector<Definition> all;
  for (const std::vector<Definition>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// --cert --key, or --psk-file: a server that speaks TLS.
NETKIT_API std::vector<OptionDef> tls_server_options();
// --cacert, and --insecure; `help` says what is not verified then.
NETKIT_API OptionDef cacert_option();
NETKIT_API OptionDef insecure_option(std::string_view help = "do not verify the server");
// --cacert --cert --key --insecure: a client's.
NETKIT_API std::vector<OptionDef> tls_client_options();

// Their values. A server with neither --cert nor --psk-file does not use TLS.
NETKIT_API TlsClientOptions tls_client(const Values& values);
NETKIT_API std::optional<TlsServerOptions> tls_server(const Values& values);

// --psk-file: keys shared with peers; `help` says with which.
NETKIT_API OptionDef psk_file_option(std::string_view help);
// The content of the file; nothing if it is not given. Throws Error.
NETKIT_API std::optional<PskKeys> psk_keys(const Values& values);
// A client's key from that file, which --name may select; nothing without a file.
NETKIT_API std::optional<PskIdentity> identity_of(const Values& values);

// The names in the comma-separated value of `option`.
NETKIT_API std::set<std::string, std::less<>> names_in(const Values& values,
                                                       const std::string& option);

// The content of an option's file: `content` as returned by read_file() with `limit`; `option` as
// typed. Throws UsageError if it is larger, SystemError.
NETKIT_API std::string content_of(FileContent content, std::string_view path, std::size_t limit,
                                  std::string_view option);
// The only line of the file that `option`, such as `password-file`, names. Throws Error if it has
// none or several.
NETKIT_API std::string secret_of(const Values& values, const std::string& option);

// --max-clients: connections of a TCP server.
NETKIT_API OptionDef max_clients_option(std::string_view default_value);
// --max-queue: what may wait for one client; `help` says what happens then.
NETKIT_API OptionDef max_queue_option(std::string_view help);
// --any-port: a UDP server answers service ports, too.
NETKIT_API OptionDef any_port_option();
// --plain local|all|none: a server of the native dialect.
NETKIT_API OptionDef plain_option();
// --allow --deny: which clients a server accepts.
NETKIT_API std::vector<OptionDef> access_options();
// --max-clients --allow --deny --rate: which clients a TCP server accepts.
NETKIT_API std::vector<OptionDef> tcp_client_limits(std::string_view max_clients);
// Puts their values into `options`.
NETKIT_API void read_tcp_client_limits(const Values& values, TcpServer::Options& options);
// --rate: limit for one peer; `help` says of what.
NETKIT_API OptionDef rate_option(std::string_view help, std::string_view default_value = {});
// --plain-rate: limit of what a server of the native dialect sends to each plain peer.
NETKIT_API OptionDef plain_rate_option();
NETKIT_API double plain_rate(const Values& values);  // 0: no limit
// --max-memory: how much all sessions of the native dialect may make a server hold.
NETKIT_API OptionDef max_memory_option();
// The values of --any-port, --plain, --allow, --deny and --rate, as far as the action has them.
NETKIT_API AnswerPolicy::Options answer_policy(const Values& values);
// --reconnect and --reconnect-max.
NETKIT_API Reconnect::Options reconnect_options(const Values& values);

// Where a server listens, and where a client's server is.
NETKIT_API ArgumentDef listen_argument(std::string_view default_value);
NETKIT_API ArgumentDef server_argument(std::string_view default_value,
                                       std::string_view help = "the server");
// The same where several may be given, `ADDRESS,ADDRESS`.
NETKIT_API ArgumentDef
servers_argument(std::string_view default_value,
                 std::string_view help = "the server, or several to fail over to");

// --hex: messages in hexadecimal.
NETKIT_API OptionDef hex_option();
// The bytes that a message given with --hex means. Throws UsageError.
NETKIT_API std::string decode_hex_option(std::string_view text);

// Numbers that several actions count.
inline constexpr TotalDef kKernelDropsTotal{
    .name = "kernel_drops", .help = "datagrams dropped because the receive buffer was full"};
inline constexpr TotalDef kUnsendableTotal{.name = "unsendable",
                                           .help = "datagrams the kernel did not accept"};
inline constexpr TotalDef kConnectionsTotal{.name = "connections", .help = "connections made"};

// dropped_port, dropped_own, dropped_broadcast, dropped_denied and dropped_rate: datagrams that a
// UdpServer does not answer. Those in loops are counted by the action.
NETKIT_API std::vector<TotalDef> refusal_totals();
NETKIT_API void add_refusals(Totals& totals, const std::array<std::uint64_t, kRefusals>& refused);
// refused_plain, dropped_plain_rate and refused_share: of a server with peers of two dialects.
NETKIT_API std::vector<TotalDef> peer_totals();
// handshakes and refused_key: of a server that may have --psk-file.
NETKIT_API std::vector<TotalDef> private_totals();
// connections, refused, denied and delayed: what a TcpServer counts of its clients.
NETKIT_API std::vector<TotalDef> tcp_client_totals();
NETKIT_API void add_tcp_clients(Totals& totals, const TcpServer::Counters& counted);
// What a server, and a client, of the native dialect counts of its datagrams; Driver and Link of
// netkit/datagram provide the numbers.
NETKIT_API std::vector<TotalDef> datagram_server_totals();
NETKIT_API std::vector<TotalDef> datagram_client_totals();

// Metrics of several totals. Each label has one meaning everywhere.
inline constexpr MetricDef kDroppedMetric{"dropped", "reason", "received but not acted on"};
inline constexpr MetricDef kRefusedMetric{"refused", "reason", "peers refused"};
inline constexpr MetricDef kBytesMetric{"bytes", "direction", "bytes of payload"};
inline constexpr MetricDef kDatagramsMetric{"datagrams", "direction", "datagrams on the wire"};
inline constexpr MetricDef kTimeoutsMetric{"timeouts", "of", "connections closed by a timeout"};

}  // namespace netkit
