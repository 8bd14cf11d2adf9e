#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/binary_text.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

using Kind = ValueKind;

// A certificate and its key go together.
std::vector<OptionDef> certificate_options(std::string_view help) {
  return {
      {.name = "cert", .kind = Kind::path, .help = help, .needs = {"key"}},
      {.name = "key", .kind = Kind::path, .help = "PEM private key of --cert", .needs = {"cert"}}};
}

}  // namespace

std::vector<OptionDef> tls_server_options() {
  OptionDef keys =
      psk_file_option("speak TLS only with clients that have a key in FILE (netkit psk)");
  keys.excludes = {"cert"};
  return joined<OptionDef>(
      {certificate_options("speak TLS with this PEM certificate chain"), {keys}});
}

OptionDef cacert_option() {
  return {.name = "cacert",
          .kind = Kind::path,
          .help = "PEM certificates to trust instead of the system's"};
}

OptionDef insecure_option(std::string_view help) {
  return {.name = "insecure", .help = help};
}

std::vector<OptionDef> tls_client_options() {
  return joined<OptionDef>({{cacert_option()},
                            certificate_options("PEM certificate chain of this client"),
                            {insecure_option()}});
}

TlsClientOptions tls_client(const Values& values) {
  return {.ca_file = values.text("cacert"),
          .cert_file = values.text("cert"),
          .key_file = values.text("key"),
          .insecure = values.flag("insecure")};
}

std::optional<TlsServerOptions> tls_server(const Values& values) {
  if (values.has("psk-file")) {
    return TlsServerOptions{.psk_keys = psk_keys(values), .psk_file = values.text("psk-file")};
  }
  if (!values.has("cert")) return std::nullopt;
  TlsServerOptions options{.cert_file = values.text("cert"), .key_file = values.text("key")};
  if (values.declared("client-ca")) options.client_ca_file = values.text("client-ca");
  return options;
}

OptionDef psk_file_option(std::string_view help) {
  return {.name = "psk-file", .kind = Kind::path, .value_name = "FILE", .help = help};
}

std::optional<PskKeys> psk_keys(const Values& values) {
  if (!values.has("psk-file")) return std::nullopt;
  return PskKeys::load(values.text("psk-file"));
}

std::optional<PskIdentity> identity_of(const Values& values) {
  const std::optional<PskKeys> keys = psk_keys(values);
  if (!keys) return std::nullopt;
  const bool named = values.declared("name");
  return choose_identity(*keys, named ? values.text("name") : std::string(),
                         values.text("psk-file"), named ? "; select one with --name" : "");
}

std::set<std::string, std::less<>> names_in(const Values& values, const std::string& option) {
  std::set<std::string, std::less<>> names;
  const std::string given = values.text(option);
  for (std::string_view rest = given; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    names.emplace(trim_white_space(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return names;
}

std::string content_of(FileContent content, std::string_view path, std::size_t limit,
                       std::string_view option) {
  if (content.error == EFBIG) {
    throw UsageError(fmt::format("{}: '{}' is larger than {}", option, path, format_size(limit)));
  }
  if (content.error != 0) {
    throw SystemError(content.error, fmt::format("{}: cannot read '{}'", option, path));
  }
  return std::move(content.bytes);
}

std::string secret_of(const Values& values, const std::string& option) {
  constexpr std::size_t kMaxSecret = 65536;
  const std::string path = values.text(option);
  const std::string content =
      content_of(read_file(path, kMaxSecret), path, kMaxSecret, "--" + option);
  const std::string_view secret = trim_white_space(content);
  const bool has_control = std::ranges::any_of(secret, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  });
  if (secret.empty() || has_control) {
    throw Error(ExitStatus::config, fmt::format("--{}: '{}' does not hold one line", option, path));
  }
  return std::string(secret);
}

OptionDef max_clients_option(std::string_view default_value) {
  return {.name = "max-clients",
          .kind = Kind::integer,
          .default_value = default_value,
          .help = "limit of connections; others are refused",
          .min = 1};
}

OptionDef max_queue_option(std::string_view help) {
  return {.name = "max-queue", .kind = Kind::size, .default_value = "1M", .help = help, .min = 1};
}

OptionDef any_port_option() {
  return {.name = "any-port", .help = "answer the ports of well-known services as well"};
}

OptionDef hex_option() {
  return {.name = "hex", .help = "read messages and show replies in hexadecimal"};
}

std::string decode_hex_option(std::string_view text) {
  constexpr std::size_t kExcerpt = 60;
  if (auto bytes = decode_hex(text)) return *std::move(bytes);
  throw UsageError(
      fmt::format("--hex: '{}' is not hexadecimal (write two digits per byte, as in 00ff or 00 ff)",
                  escaped_text(excerpt(text, kExcerpt))));
}

OptionDef plain_option() {
  return {.name = "plain",
          .kind = Kind::choice,
          .default_value = "local",
          .help = "which plain peers to accept; local means this machine's networks",
          .choices = {"local", "all", "none"}};
}

std::vector<OptionDef> access_options() {
  return {
      {.name = "allow",
       .kind = Kind::cidr,
       .help = "serve only clients in CIDR",
       .repeatable = true},
      {.name = "deny", .kind = Kind::cidr, .help = "ignore clients in CIDR", .repeatable = true}};
}

std::vector<OptionDef> tcp_client_limits(std::string_view max_clients) {
  return joined<OptionDef>({{max_clients_option(max_clients)},
                            access_options(),
                            {rate_option("limit of reads a second from each source address")}});
}

void read_tcp_client_limits(const Values& values, TcpServer::Options& options) {
  options.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
  options.access = {values.texts("allow"), values.texts("deny")};
  options.rate = values.number("rate");
}

OptionDef rate_option(std::string_view help, std::string_view default_value) {
  return {.name = "rate", .kind = Kind::rate, .default_value = default_value, .help = help};
}

OptionDef plain_rate_option() {
  return {.name = "plain-rate",
          .kind = Kind::text,
          .value_name = "SIZE/s",
          .default_value = "1M/s",
          .help = "limit of bytes a second to each plain peer on another machine; none: no limit"};
}

double plain_rate(const Values& values) {
  const std::string text = values.text("plain-rate");
  if (text == "none") return 0;
  const auto size =
      read_size(std::string_view(text).substr(0, text.size() - (text.ends_with("/s") ? 2 : 0)));
  if (size && *size > 0) return static_cast<double>(*size);
  throw UsageError(
      fmt::format("--plain-rate: '{}' is not a size per second (write 64k/s, 1M/s or none)", text));
}

std::vector<TotalDef> peer_totals() {
  return {
      labelled_total(kRefusedMetric, "plain", "refused_plain", "plain peers refused by --plain"),
      labelled_total(kDroppedMetric, "plain_rate", "dropped_plain_rate",
                     "datagrams to plain peers dropped by --plain-rate"),
      labelled_total(kRefusedMetric, "share", "refused_share",
                     "peers beyond the share of one address")};
}

OptionDef max_memory_option() {
  return {.name = "max-memory",
          .kind = Kind::size,
          .default_value = "256M",
          .help =
              "limit of memory for data that native peers send out of order or in fragments, and "
              "for what waits for one of them alone",
          .min = 65536};
}

AnswerPolicy::Options answer_policy(const Values& values) {
  AnswerPolicy::Options policy;
  policy.any_port = values.declared("any-port") && values.flag("any-port");
  if (values.declared("plain")) policy.plain = AnswerPolicy::read_plain(values.text("plain"));
  if (values.declared("allow")) policy.access = {values.texts("allow"), values.texts("deny")};
  if (values.declared("rate")) policy.rate = values.number("rate");
  return policy;
}

Reconnect::Options reconnect_options(const Values& values) {
  return {.limit = Reconnect::parse_limit(values.text("reconnect")),
          .maximum = values.duration("reconnect-max")};
}

ArgumentDef listen_argument(std::string_view default_value) {
  return {.name = "ADDRESS",
          .kind = Kind::listen_address,
          .default_value = default_value,
          .optional = true,
          .help = "where to listen; :PORT means every interface"};
}

ArgumentDef server_argument(std::string_view default_value, std::string_view help) {
  return {.name = "ADDRESS",
          .kind = Kind::address,
          .default_value = default_value,
          .optional = true,
          .help = help};
}

ArgumentDef servers_argument(std::string_view default_value, std::string_view help) {
  ArgumentDef argument = server_argument(default_value, help);
  argument.kind = Kind::addresses;
  return argument;
}

std::vector<TotalDef> refusal_totals() {
  return {
      labelled_total(kDroppedMetric, "port", "dropped_port",
                     "not answered: the port of a service, or port 0"),
      labelled_total(kDroppedMetric, "own", "dropped_own", "not answered: from this server itself"),
      labelled_total(kDroppedMetric, "broadcast", "dropped_broadcast",
                     "not answered: to or from a broadcast or multicast address"),
      labelled_total(kDroppedMetric, "denied", "dropped_denied",
                     "not answered: refused by --allow or --deny"),
      labelled_total(kDroppedMetric, "rate", "dropped_rate", "not answered: over --rate")};
}

void add_refusals(Totals& totals, const std::array<std::uint64_t, kRefusals>& refused) {
  for (std::size_t i = 1; i < kRefusals; ++i) {
    const auto why = static_cast<Refusal>(i);
    if (why != Refusal::loop) totals.add(total_name(why), refused[i]);
  }
}

std::vector<TotalDef> private_totals() {
  return {{"handshakes", "peers authenticated by --psk-file"},
          labelled_total(kRefusedMetric, "key", "refused_key", "peers with no key or a wrong one")};
}

std::vector<TotalDef> tcp_client_totals() {
  return {kConnectionsTotal,
          {"refused", "connections beyond --max-clients"},
          {"denied", "connections refused by --allow or --deny"},
          {"delayed", "reads delayed by --rate"}};
}

void add_tcp_clients(Totals& totals, const TcpServer::Counters& counted) {
  totals.add("connections", counted.accepted);
  totals.add("refused", counted.refused);
  totals.add("denied", counted.denied);
  totals.add("delayed", counted.delayed);
}

std::vector<TotalDef> datagram_server_totals() {
  return {labelled_total(kDatagramsMetric, "in", "datagrams_in", "datagrams received"),
          labelled_total(kDatagramsMetric, "out", "datagrams_out", "datagrams sent"),
          {"bytes_out", "bytes of datagrams sent", TotalKind::counter, TotalUnit::bytes},
          {"retransmitted", "datagrams retransmitted"},
          {"bad_cookies", "handshakes with an invalid cookie"},
          {"malformed", "malformed native datagrams"},
          labelled_total(kDroppedMetric, "memory", "dropped_memory",
                         "datagrams and messages dropped because --max-memory was reached"),
          kUnsendableTotal,
          kKernelDropsTotal};
}

std::vector<TotalDef> datagram_client_totals() {
  return {labelled_total(kDatagramsMetric, "in", "datagrams_in", "datagrams received"),
          labelled_total(kDatagramsMetric, "out", "datagrams_out", "datagrams sent"),
          {"retransmitted", "datagrams retransmitted"},
          {"duplicates", "duplicate datagrams received"},
          kKernelDropsTotal};
}

}  // namespace netkit
