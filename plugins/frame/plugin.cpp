// What `netkit frame` offers.
#include <frame/commands.hpp>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/codec/frame_codec.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::frame {

namespace {

using Kind = ValueKind;

OptionDef codec_definition() {
  OptionDef codec{.name = "codec",
                  .kind = Kind::text,
                  .value_name = "CODEC",
                  .default_value = "netkit",
                  .help = "how frames are delimited and checked; see 'netkit help codecs'"};
  for (const NamedCodec& named : codec_names()) codec.choices.push_back(named.name);
  return codec;
}

OptionDef max_frame_definition() {
  return {.name = "max-frame",
          .kind = Kind::size,
          .default_value = "1M",
          .help = "limit of the bytes that follow the length field",
          .min = 1,
          .max = FrameDecoder::kMaxLimit};
}

OptionDef hex_definition() {
  return {.name = "hex", .help = "print bodies in hexadecimal in text output"};
}

OptionDef bad_definition() {
  return {.name = "bad",
          .kind = Kind::choice,
          .value_name = "drop|show|fail",
          .default_value = "show",
          .help = "what to do with a frame whose check is wrong",
          .choices = {"drop", "show", "fail"}};
}

// Of all that cuts frames.
std::vector<OptionDef> cutting_definitions() {
  return {codec_definition(), max_frame_definition(), bad_definition(), hex_definition()};
}

OptionDef every_definition(std::string_view help) {
  return {.name = "every", .kind = Kind::duration, .help = help, .min = 1, .needs = {"send"}};
}

OptionDef record_definition() {
  return {.name = "record",
          .kind = Kind::path,
          .help = "append the traffic of all connections to this file, for frame replay"};
}

OptionDef only_with_tls(OptionDef option) {
  option.needs.push_back("tls");
  return option;
}

std::vector<OptionDef> tls_definitions() {
  std::vector<OptionDef> options = tls_client_options();
  for (OptionDef& option : options) option = only_with_tls(std::move(option));
  OptionDef key = psk_file_option("use TLS with the key in FILE");
  key.excludes = {"tls"};
  return joined({{{.name = "tls", .help = "use TLS, and verify the server"}}, options, {key}});
}

// What decoders count besides good frames.
std::vector<TotalDef> with_cut_totals(std::vector<TotalDef> totals) {
  totals.push_back({"bad_checks", "frames with a wrong check"});
  totals.push_back({"bad_frames", "frames malformed in another way"});
  totals.push_back({"skipped", "bytes outside frames", TotalKind::counter, TotalUnit::bytes});
  return totals;
}

constexpr TotalDef kFramesTotal{"frames", "frames read"};
constexpr TotalDef kClientsTotal{"clients", "current clients", kGauge};
constexpr MetricDef kFramesMetric{"frames", "direction", "frames read"};
constexpr MetricDef kKindsMetric{"requests", "kind", "requests received"};

RecordDef frame_record(std::string_view help) {
  RecordDef record{.type = "frame", .help = help};
  record.fields = {{"dir", "in: received from the server, or by it; out: sent to the server"},
                   {"id", "message id, -128 to 127; codec netkit only"},
                   {"name", "register, heartbeat, datetime, or the id"},
                   {"error", "error code of an answer: 0 ok, -1 error"},
                   {"length", "the length field as it was on the wire"},
                   {"check", "ok or bad; where the codec has a check"}};
  record.layout = "{name} {text}";
  return record;
}

RecordDef client_record() {
  RecordDef record{.type = "client", .help = "one for each client, after the line /who"};
  record.fields = {{"appid", "what it registered with; omitted before that"},
                   {"imei", "what it registered with; omitted before that"},
                   {"age_s", "seconds since it connected"},
                   {"frames", "frames received from it"}};
  record.layout = "{peer} appid={appid} imei={imei}";
  return record;
}

std::vector<OptionDef> serve_definitions() {
  return {{.name = "frame-timeout",
           .kind = Kind::duration,
           .default_value = "10s",
           .help = "time limit for one frame, and for the TLS handshake"},
          {.name = "idle-timeout",
           .kind = Kind::duration,
           .default_value = "none",
           .help = "close the connection of a client that has been silent for D"},
          {.name = "rule",
           .kind = Kind::text,
           .value_name = "'PATTERN => ANSWER'",
           .help = "answer a body that matches; hex:01?? or /regex/, and {1} in the answer",
           .repeatable = true},
          {.name = "send",
           .kind = Kind::text,
           .value_name = "MESSAGE",
           .help = "what --every sends to all clients",
           .repeatable = true,
           .needs = {"every"}},
          every_definition("send each --send to all clients every D"),
          {.name = "max-memory",
           .kind = Kind::size,
           .default_value = "256M",
           .help = "bytes held of the unfinished frames of all clients, at least twice --max-frame",
           .min = 65536},
          max_queue_option(
              "limit of the data queued for one client; further messages to it are dropped"),
          {.name = "broadcast",
           .help = "answer user-defined message ids with 0 and relay them to all other clients"},
          {.name = "show",
           .kind = Kind::choice,
           .value_name = "heartbeats",
           .help = "also print heartbeats; -v reports them on stderr",
           .choices = {"heartbeats"}}};
}

std::vector<TotalDef> request_totals() {
  return {kFramesTotal,
          labelled_total(kKindsMetric, "register", "registers", "registrations"),
          labelled_total(kKindsMetric, "heartbeat", "heartbeats", "heartbeats"),
          labelled_total(kKindsMetric, "datetime", "datetimes", "requests for the time"),
          labelled_total(kKindsMetric, "custom", "custom", "requests with a user-defined id"),
          {"errors", "requests answered with -1"},
          {"answered", "frames answered by a --rule"},
          {"pushed", "frames sent to clients that are not answers"},
          {"dropped", "of those, frames dropped for slow clients"},
          {"protocol_errors", "connections closed for malformed frames"},
          labelled_total(kTimeoutsMetric, "frame", "frame_timeouts",
                         "connections closed after --frame-timeout"),
          labelled_total(kTimeoutsMetric, "idle", "idle_timeouts",
                         "connections closed after --idle-timeout"),
          {"dropped_memory", "connections closed because --max-memory left no room"},
          {"bytes", "bytes received", TotalKind::counter, TotalUnit::bytes}};
}

std::vector<TotalDef> serve_totals() {
  return joined<TotalDef>({{kClientsTotal}, tcp_client_totals(), request_totals()});
}

ActionDef serve_action() {
  ActionDef action{.name = "serve", .summary = "answer requests, or simulate a device"};
  action.description =
      "Answers register, heartbeat and datetime requests of any number of clients; any other "
      "message id gets the error -1. With another --codec each --rule maps a frame to its answer. "
      "Each line of stdin is a MESSAGE that goes to all clients; /who lists them. It runs until it "
      "is stopped.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::listen_stream,
                       .default_value = "127.0.0.1:9089",
                       .optional = true,
                       .help = "where to listen"}};
  action.common = kOutputOptions | kServerOptions;
  action.options = joined({serve_definitions(),
                           tcp_client_limits("65536"),
                           cutting_definitions(),
                           tls_server_options(),
                           {{.name = "client-ca",
                             .kind = Kind::path,
                             .help = "require a client certificate signed by one of these, PEM",
                             .needs = {"cert"}},
                            record_definition()}});
  action.totals = with_cut_totals(serve_totals());
  action.make = make_serve;
  action.records = {
      frame_record("a request; heartbeats only with --show heartbeats; none with -q"),
      client_record(),
  };
  action.examples = {
      {"netkit frame serve", "answer on 127.0.0.1:9089"},
      {"netkit frame serve :9089 --broadcast --json", "relay user-defined frames, as JSON Lines"},
      {"netkit frame serve :9443 --cert server.pem --key server.key", "speak TLS"},
      {"netkit frame serve :5020 --codec modbus-tcp --rule 'hex:????00000006??03???????? => "
       "hex:{1}{2}00000000{3}0302002a'",
       "a device with one register"}};
  action.lifetime = Lifetime::until_told;
  action.opens_any_file = true;  // a line may be ID:@FILE
  return action;
}

std::vector<OptionDef> session_definitions() {
  return {{.name = "register",
           .kind = Kind::text,
           .value_name = "APPID,IMEI",
           .help = "register after every connect: 36 and 15 bytes"},
          {.name = "heartbeat",
           .kind = Kind::duration,
           .default_value = "3s",
           .help = "send a heartbeat every D",
           .min = 1},
          {.name = "misses",
           .kind = Kind::integer,
           .default_value = "3",
           .help = "drop the connection after N heartbeats without any frame received",
           .min = 1,
           .max = 1'000'000},
          {.name = "send",
           .kind = Kind::text,
           .value_name = "MESSAGE",
           .help = "send this request before those of stdin",
           .repeatable = true},
          {.name = "keep-open",
           .letter = 'k',
           .help = "stay connected after the last answer, and reconnect"},
          {.name = "wait",
           .default_value = "30s",
           .help = "how long to wait for the next answer once the input has ended"},
          every_definition("send each --send every D"),
          {.name = "expect",
           .kind = Kind::text,
           .value_name = "PATTERN",
           .help = "exit with 0 when a body matches; hex:01??, /regex/ or exactly this text"},
          {.name = "within",
           .kind = Kind::duration,
           .default_value = "30s",
           .help = "exit with 1 if --expect has not matched by then",
           .needs = {"expect"}},
          {.name = "max-requests",
           .kind = Kind::integer,
           .default_value = "65536",
           .help = "read no more input while N requests wait for answers",
           .min = 1,
           .max = 1'000'000'000},
          {.name = "max-request-bytes",
           .kind = Kind::size,
           .default_value = "16M",
           .help = "read no more input while requests of this size wait for answers",
           .min = 1}};
}

std::vector<OptionDef> transport_definitions() {
  return {{.name = "reconnect",
           .help = "how many times in a row to retry after a failure; never, or with -k forever"},
          {.name = "connect-timeout",
           .default_value = "10s",
           .help = "time limit for connecting to one address"},
          {.name = "user-timeout",
           .kind = Kind::duration,
           .default_value = "30s",
           .help = "drop the connection if sent data stays unacknowledged this long"}};
}

std::vector<TotalDef> connect_totals() {
  return {{"requests", "requests sent"},
          {"answers", "answers to them"},
          {"errors", "answers of -1"},
          {"heartbeats", "heartbeats answered"},
          {"unmatched", "frames that answer no request"},
          {"resent", "requests sent again after a reconnect"},
          {"unanswered", "requests waiting for an answer", kGauge},
          {"given_up", "requests that --every gave up unanswered"},
          kConnectionsTotal,
          {"drops", "connections lost"},
          labelled_total(kBytesMetric, "in", "bytes_in", "bytes received"),
          labelled_total(kBytesMetric, "out", "bytes_out", "bytes sent")};
}

ActionDef connect_action() {
  ActionDef action{.name = "connect", .summary = "send requests and print the answers"};
  action.description =
      "Keeps a connection to the first ADDRESS that answers. Each --send, then each line of stdin, "
      "is a MESSAGE: register:APPID,IMEI, heartbeat, datetime, ID:TEXT, ID:hex:00ff, "
      "ID:base64:AP8=, ID:@FILE or raw:hex:00ff. Unanswered requests are sent again after a "
      "reconnect. Without -k it exits when the input has ended and every request is answered.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::streams,
                       .default_value = "127.0.0.1:9089",
                       .optional = true,
                       .help = "the server, and others to fail over to"}};
  action.common =
      kOutputOptions | kReconnectOptions | kConnectTimeoutOption | kWaitOption | kClientOptions;
  action.options = joined(
      {session_definitions(),
       cutting_definitions(),
       transport_definitions(),
       tls_definitions(),
       {{.name = "show",
         .kind = Kind::choice,
         .value_name = "sent|heartbeats",
         .help = "also print what is sent, or the answers to heartbeats; -v reports them on stderr",
         .repeatable = true,
         .choices = {"sent", "heartbeats"}},
        {.name = "fail", .help = "exit with 1 if an answer has an error"},
        record_definition()}});
  action.totals = with_cut_totals(connect_totals());
  action.make = make_connect;
  action.records = {frame_record("an answer; with --show also heartbeats and what is sent")};
  action.examples = {
      {"netkit frame connect localhost:9089 --send datetime", "request the time"},
      {"printf 'datetime\\n' | netkit frame connect localhost:9089 --json", "in a script"},
      {"netkit frame connect -k a.example:9089,b.example:9089", "stay connected, and fail over"},
      {"netkit frame connect dns.example:53 --codec u16 --send raw:@query", "DNS over TCP"}};
  action.until_told_by = {"keep-open", "every"};
  action.bounded_by = {"expect"};
  return action;
}

ActionDef proxy_action() {
  ActionDef action{.name = "proxy", .summary = "show the frames between a client and a server"};
  action.description =
      "Forwards every connection to LISTEN to TARGET, unchanged in both directions, and prints the "
      "frames. What cannot be decoded is still forwarded. It runs until it is stopped.";
  action.arguments = {
      {.name = "LISTEN", .kind = Kind::listen_stream, .help = "where clients connect"},
      {.name = "TARGET", .kind = Kind::stream, .help = "where they are forwarded to"}};
  action.common = kOutputOptions | kServerOptions | kConnectTimeoutOption | kClientOptions;
  action.options = joined({cutting_definitions(),
                           tcp_client_limits("65536"),
                           {{.name = "fault",
                             .kind = Kind::text,
                             .value_name = "delay=D|split=BYTES|corrupt=P%|reset=FRAMES",
                             .help = "inject faults into the frames",
                             .repeatable = true},
                            {.name = "tls", .help = "use TLS to the target, and verify it"},
                            only_with_tls(cacert_option()),
                            only_with_tls(insecure_option("do not verify the target")),
                            {.name = "target-psk-file",
                             .kind = Kind::path,
                             .value_name = "FILE",
                             .help = "use TLS to the target with the key in FILE",
                             .excludes = {"tls"}}},
                           tls_server_options(),
                           {record_definition()}});
  action.totals = with_cut_totals(joined<TotalDef>(
      {{kClientsTotal},
       tcp_client_totals(),
       {{"failures", "failed connections to the target"},
        labelled_total(kFramesMetric, "out", "frames_out", "frames to the target"),
        labelled_total(kFramesMetric, "in", "frames_in", "frames from the target"),
        {"undecoded", "directions of connections that could not be decoded"},
        labelled_total(kBytesMetric, "out", "bytes_out", "bytes to the target"),
        labelled_total(kBytesMetric, "in", "bytes_in", "bytes from the target")}}));
  action.make = make_proxy;
  action.records = {frame_record("a frame of either direction")};
  action.examples = {{"netkit frame proxy :9090 server.example:9089", "watch the traffic"},
                     {"netkit frame proxy :5433 localhost:5432 --codec postgres",
                      "a conversation with PostgreSQL"},
                     {"netkit frame proxy :9000 serial:/dev/ttyUSB0,19200,8e1 --codec modbus-rtu",
                      "a gateway to a serial line"}};
  action.lifetime = Lifetime::until_told;
  action.quiet_hides_records = true;
  return action;
}

ActionDef encode_action() {
  ActionDef action{.name = "encode", .summary = "turn lines into frames: stdin to stdout"};
  action.description =
      "Each line of stdin is a MESSAGE, as for frame connect; its frame is written to stdout. A "
      "line that is not a MESSAGE ends it with status 2.";
  action.options = {codec_definition(), max_frame_definition()};
  action.totals = {{"frames", "frames written"}};
  action.make = make_encode;
  action.examples = {{"printf '7:hello\\n' | netkit frame encode | nc localhost 9089", "with nc"}};
  return action;
}

ActionDef decode_action() {
  ActionDef action{.name = "decode", .summary = "turn frames into lines: stdin to stdout"};
  action.description =
      "Prints each frame of stdin as a MESSAGE that frame encode accepts. With --answers frames "
      "are read as a server sends them, with an error code after the id.";
  action.common = kOutputOptions;
  action.options =
      joined({cutting_definitions(),
              {{.name = "answers", .help = "frames are answers, with an error code"}}});
  action.records = {frame_record("a frame")};
  action.totals = with_cut_totals(
      {kFramesTotal, {"bytes", "bytes read", TotalKind::counter, TotalUnit::bytes}});
  action.make = make_decode;
  action.examples = {
      {"printf '7:hello\\n' | netkit frame encode | netkit frame decode --json", "there and back"}};
  return action;
}

ActionDef replay_action() {
  ActionDef action{.name = "replay", .summary = "replay what --record wrote, with its timing"};
  action.description =
      "Without ADDRESS it prints the recorded frames with their timing. With ADDRESS it sends "
      "there what the clients had sent, over as many connections, and prints the answers; it exits "
      "when as many frames have come back as were recorded, or none has for --wait.";
  action.arguments = {
      {.name = "FILE", .kind = Kind::path, .help = "the recording"},
      {.name = "ADDRESS", .kind = Kind::stream, .optional = true, .help = "the server to send to"}};
  action.common = kOutputOptions | kConnectTimeoutOption | kWaitOption | kClientOptions;
  action.options = {{.name = "speed",
                     .kind = Kind::number,
                     .value_name = "X",
                     .default_value = "1",
                     .help = "replay X times as fast; 0: without delays",
                     .max = 1'000'000'000},
                    {.name = "wait",
                     .default_value = "5s",
                     .help = "how long to wait for another answer after the last request"},
                    codec_definition(),
                    max_frame_definition(),
                    bad_definition(),
                    hex_definition()};
  action.records = {frame_record("a frame of the recording, or an answer")};
  action.totals = {{"sent", "frames sent"},
                   {"recorded_answers", "answers recorded"},
                   {"answers", "answers received"}};
  action.make = make_replay;
  action.examples = {
      {"netkit frame replay talk.rec", "print it again"},
      {"netkit frame replay talk.rec localhost:9089 --speed 10", "ten times as fast"}};
  return action;
}

std::vector<ActionDef> make_actions() {
  return {serve_action(),  connect_action(), proxy_action(),
          encode_action(), decode_action(),  replay_action()};
}

}  // namespace

}  // namespace netkit::frame

NETKIT_PLUGIN(frame, "long-lived framed TCP: client, server, proxy and codec",
              netkit::frame::make_actions)
