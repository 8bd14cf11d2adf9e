// `frame connect`.
#include <frame/client.hpp>
#include <frame/commands.hpp>
#include <frame/options.hpp>
#include <unistd.h>

#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

std::optional<TlsClientOptions> tls_options(const Values& values) {
  if (!values.flag("tls")) {
    for (const std::string_view option : {"cacert", "cert", "key"}) {
      if (values.has(option)) throw UsageError("--" + std::string(option) + " needs --tls");
    }
    if (values.flag("insecure")) throw UsageError("--insecure needs --tls");
    return std::nullopt;
  }
  if (values.has("cert") != values.has("key")) {
    throw UsageError("a client certificate needs both --cert and --key");
  }
  return TlsClientOptions{.ca_file = values.text("cacert"),
                          .cert_file = values.text("cert"),
                          .key_file = values.text("key"),
                          .insecure = values.flag("insecure"),
                          .alpn = {}};
}

class ConnectCommand final : public Command {
 public:
  void configure(const Values& values) override {
    configure_session(values);
    configure_connection(values);
    options_.messages = values.texts("send");
    // What they mean is checked now, what files hold when it runs.
    for (const std::string& message : options_.messages) {
      parse_message(message, options_.session.codec,
                    [](const std::string&) { return std::string(1, '\0'); });
    }
    if (options_.messages.size() > options_.session.max_requests) {
      throw UsageError("more --send than --max-requests allows");
    }
    options_.wait = values.duration("wait");
    options_.record = values.text("record");
    // A message on the command line is all, unless more is piped in; and without a standard input
    // there is something to do only with one, or with --keep-open.
    const bool needed = options_.messages.empty() && !options_.session.keep_open;
    const bool more = options_.session.keep_open || ::isatty(STDIN_FILENO) == 0;
    const bool wanted = needed || (more && is_input_open());
    options_.read_input = wanted && may_read_input();
  }

  ExitStatus run(Host& host) override {
    if (options_.tls && options_.tls->insecure) {
      host.log().notice("--insecure: the server's certificate is not verified");
    }
    const FrameClient client(host, options_);
    return host.run_loop();
  }

 private:
  void configure_session(const Values& values) {
    ClientOptions& session = options_.session;
    session.codec = codec_option(values);
    session.max_frame = max_frame_option(values);
    if (values.has("register")) session.registration = register_content(values.text("register"));
    session.heartbeat = values.duration("heartbeat");
    if (session.heartbeat == Duration::zero()) {
      throw UsageError("--heartbeat: 0 would be without end (none sends none)");
    }
    session.misses = static_cast<unsigned>(values.integer("misses"));
    session.keep_open = values.flag("keep-open");
    session.max_requests = static_cast<std::size_t>(values.integer("max-requests"));
    session.max_request_bytes = values.size("max-request-bytes");
    const ClientSession checked(session);  // the codec can encode, and register
  }

  void configure_connection(const Values& values) {
    TcpClient::Options& connection = options_.connection;
    std::vector<std::string> arguments = values.arguments();
    connection.servers = take_addresses(arguments);
    if (!arguments.empty()) {
      throw UsageError("'" + arguments.front() +
                       "' is one argument too many: write ADDRESS,ADDRESS");
    }
    connection.connect_timeout = values.duration("connect-timeout");
    connection.reconnect.limit =
        values.given("reconnect")
            ? Reconnect::parse_limit(values.text("reconnect"))
            : (options_.session.keep_open ? Reconnect::kForever : Reconnect::kNever);
    connection.reconnect.maximum = values.duration("reconnect-max");
    connection.tcp.keepalive = true;
    connection.tcp.user_timeout = values.duration("user-timeout");
    options_.tls = tls_options(values);
  }

  FrameClientOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_connect() {
  return std::make_unique<ConnectCommand>();
}

}  // namespace netkit::frame
