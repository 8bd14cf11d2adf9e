#include <frame/proxy_options.hpp>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

ProxyOptions proxy_options(const Values& values) {
  ProxyOptions options{.listen = values.address("LISTEN"), .target = values.address("TARGET")};
  if (options.target == options.listen && !options.target.path.empty()) {
    throw UsageError(fmt::format("the proxy itself listens on {}", options.target.to_string()));
  }
  options.cuttings = {read_cutting(values, options.listen.transport),
                      read_cutting(values, options.target.transport)};
  options.faults = Faults::parse(values.texts("fault"));
  options.tls = tls_server(values);
  if (options.tls) refuse_tls(options.listen, options.tls->psk_keys ? "--psk-file" : "--cert");
  if (values.has("target-psk-file")) {
    refuse_tls(options.target, "--target-psk-file");
    const std::string file = values.text("target-psk-file");
    options.target_tls = TlsClientOptions{.psk = choose_identity(PskKeys::load(file), {}, file)};
  }
  if (values.flag("tls")) {
    refuse_tls(options.target, "--tls");
    options.target_tls =
        TlsClientOptions{.ca_file = values.text("cacert"), .insecure = values.flag("insecure")};
  }
  options.server.pause_backed_up = false;
  read_tcp_client_limits(values, options.server);
  options.connect_timeout = values.duration("connect-timeout");
  options.record = values.text("record");
  return options;
}

}  // namespace netkit::frame
