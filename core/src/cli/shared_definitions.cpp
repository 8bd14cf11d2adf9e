#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/binary_text.hpp>
#include <netkit/util/error.hpp>
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

std::vector<OptionDef> joined(std::initializer_list<std::vector<OptionDef>> parts) {
  std::vector<OptionDef> all;
  for (const std::vector<OptionDef>& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::vector<OptionDef> tls_server_options() {
  return certificate_options("PEM certificate chain: speak TLS");
}

std::vector<OptionDef> tls_client_options() {
  return joined({{{.name = "cacert",
                   .kind = Kind::path,
                   .help = "PEM certificates to trust instead of the system's"}},
                 certificate_options("PEM certificate chain of this client"),
                 {{.name = "insecure", .help = "do not verify the server"}}});
}

TlsClientOptions tls_client(const Values& values) {
  return {.ca_file = values.text("cacert"),
          .cert_file = values.text("cert"),
          .key_file = values.text("key"),
          .insecure = values.flag("insecure")};
}

std::optional<TlsServerOptions> tls_server(const Values& values) {
  if (!values.has("cert")) return std::nullopt;
  TlsServerOptions options{.cert_file = values.text("cert"), .key_file = values.text("key")};
  if (values.declared("client-ca")) options.client_ca_file = values.text("client-ca");
  return options;
}

OptionDef max_clients_option(std::string_view default_value) {
  return {.name = "max-clients",
          .kind = Kind::integer,
          .default_value = default_value,
          .help = "connections at once; others are refused",
          .min = 1};
}

OptionDef max_queue_option(std::string_view help) {
  return {.name = "max-queue", .kind = Kind::size, .default_value = "1M", .help = help, .min = 1};
}

OptionDef any_port_option() {
  return {.name = "any-port", .help = "answer the ports of well-known services too"};
}

OptionDef hex_option() {
  return {.name = "hex", .help = "messages are given, and replies shown, in hexadecimal"};
}

std::string decode_hex_option(std::string_view text) {
  constexpr std::size_t kExcerpt = 60;
  if (auto bytes = decode_hex(text)) return *std::move(bytes);
  throw UsageError(
      fmt::format("--hex: '{}' is not hexadecimal (write two digits a byte, as in 00ff or 00 ff)",
                  escaped_text(text.substr(0, kExcerpt))));
}

OptionDef plain_option() {
  return {.name = "plain",
          .kind = Kind::choice,
          .default_value = "local",
          .help = "whom to take as plain: those on networks of this machine, all or none",
          .choices = {"local", "all", "none"}};
}

}  // namespace netkit
