// Options, totals and metrics that mean the same in several commands, each defined once. An action
// lists what fits it among its own.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Any thread, as all of these.

// The parts one after the other.
NETKIT_API std::vector<OptionDef> joined(std::initializer_list<std::vector<OptionDef>> parts);

// --cert --key: a server that speaks TLS.
NETKIT_API std::vector<OptionDef> tls_server_options();
// --cacert --cert --key --insecure: a client's.
NETKIT_API std::vector<OptionDef> tls_client_options();

// What these say. A server that has no --cert speaks no TLS.
NETKIT_API TlsClientOptions tls_client(const Values& values);
NETKIT_API std::optional<TlsServerOptions> tls_server(const Values& values);

// --max-clients: connections of a TCP server.
NETKIT_API OptionDef max_clients_option(std::string_view default_value);
// --max-queue: what may wait for one client; `help` says what happens then.
NETKIT_API OptionDef max_queue_option(std::string_view help);
// --any-port: a UDP server answers service ports, too.
NETKIT_API OptionDef any_port_option();
// --plain local|all|none: a server of the native dialect.
NETKIT_API OptionDef plain_option();

// --hex: messages in hexadecimal.
NETKIT_API OptionDef hex_option();
// The bytes that a message given with --hex means. Throws UsageError.
NETKIT_API std::string decode_hex_option(std::string_view text);

// Numbers that several actions count.
inline constexpr TotalDef kKernelDropsTotal{
    .name = "kernel_drops", .help = "datagrams that came faster than they were read"};
inline constexpr TotalDef kUnsendableTotal{.name = "unsendable",
                                           .help = "datagrams that the kernel did not take"};
inline constexpr TotalDef kConnectionsTotal{.name = "connections",
                                            .help = "connections that were made"};

// Metrics of several totals. Each label has one meaning everywhere.
inline constexpr MetricDef kDroppedMetric{"dropped", "reason", "what came and was not acted on"};
inline constexpr MetricDef kRefusedMetric{"refused", "reason", "peers that were turned away"};
inline constexpr MetricDef kBytesMetric{"bytes", "direction", "bytes of payload"};
inline constexpr MetricDef kDatagramsMetric{"datagrams", "direction", "datagrams on the wire"};
inline constexpr MetricDef kTimeoutsMetric{"timeouts", "of", "connections closed for their time"};

}  // namespace netkit
