#include <frame/commands.hpp>
#include <frame/connect_options.hpp>
#include <unistd.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

std::optional<TlsClientOptions> tls_options(const Values& values) {
  if (auto identity = identity_of(values)) return TlsClientOptions{.psk = std::move(identity)};
  return values.flag("tls") ? std::optional(tls_client(values)) : std::nullopt;
}

ClientOptions session_options(const Values& values, Transport transport) {
  const Cutting cutting = read_cutting(values, transport);
  ClientOptions session;
  session.codec = cutting.codec;
  session.max_frame = cutting.max_frame;
  session.bad = cutting.bad;
  session.datagrams = cutting.datagrams;
  session.separate = cutting.datagrams || cutting.codec.by == CutBy::idle;
  if (values.has("register")) session.registration = register_content(values.text("register"));
  session.heartbeat = values.duration("heartbeat");
  session.misses = static_cast<unsigned>(values.integer("misses"));
  session.keep_open = values.flag("keep-open");
  session.max_requests = static_cast<std::size_t>(values.integer("max-requests"));
  session.max_request_bytes = values.size("max-request-bytes");
  const ClientSession checked(session);  // the codec can encode, and register
  return session;
}

// Of all servers, as their frames have one form.
Transport transport_of(const std::vector<AddressSpec>& servers) {
  const Transport first = servers.front().transport;
  for (const AddressSpec& server : servers) {
    if ((server.transport == Transport::udp) != (first == Transport::udp)) {
      throw UsageError("addresses with and without udp: cannot be mixed");
    }
  }
  return first;
}

TcpClient::Options connection_options(const Values& values) {
  TcpClient::Options connection;
  connection.servers = values.addresses("ADDRESS");
  connection.connect_timeout = values.duration("connect-timeout");
  connection.reconnect.limit =
      values.given("reconnect")
          ? Reconnect::parse_limit(values.text("reconnect"))
          : (values.flag("keep-open") ? Reconnect::kForever : Reconnect::kNever);
  connection.reconnect.maximum = values.duration("reconnect-max");
  connection.tcp.keepalive = true;
  connection.tcp.user_timeout = values.duration("user-timeout");
  return connection;
}

}  // namespace

ConnectOptions connect_options(const Values& values) {
  ConnectOptions options;
  options.connection = connection_options(values);
  const Transport transport = transport_of(options.connection.servers);
  options.session = session_options(values, transport);
  options.loses = transport == Transport::udp || transport == Transport::serial;
  options.tls = tls_options(values);
  if (options.tls) {
    refuse_tls(options.connection.servers.front(), options.tls->psk ? "--psk-file" : "--tls");
  }
  if (values.has("every")) options.every = values.duration("every");
  if (values.has("expect")) options.expect = Pattern::parse(values.text("expect"), "--expect");
  options.within = values.duration("within");
  options.messages = values.texts("send");
  // Their form is checked now, the content of files when it runs.
  for (const std::string& message : options.messages) {
    parse_message(message, options.session.codec,
                  [](const std::string&) { return std::string(1, '\0'); });
  }
  if (options.messages.size() > options.session.max_requests) {
    throw UsageError("more --send than --max-requests allows");
  }
  options.wait = values.duration("wait");
  options.record = values.text("record");
  options.fail = values.flag("fail");
  for (const std::string& what : values.texts("show")) {
    (what == "sent" ? options.show_sent : options.show_heartbeats) = true;
  }
  // A message on the command line is the whole input, unless more is piped in. Without a standard
  // input there is something to do only with such a message, or with --keep-open.
  const bool needed = options.messages.empty() && !options.session.keep_open;
  const bool more = options.session.keep_open || ::isatty(STDIN_FILENO) == 0;
  const bool wanted = needed || (more && is_input_open());
  options.read_input = wanted && may_read_input();
  return options;
}

}  // namespace netkit::frame
