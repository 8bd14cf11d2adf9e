// What `netkit echo` offers.
#include <echo/bench_command.hpp>
#include <echo/ping_command.hpp>
#include <echo/send_command.hpp>
#include <echo/serve_command.hpp>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/plugin/bench_rows.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::echo {

namespace {

using Kind = ValueKind;

constexpr std::string_view kServer = "127.0.0.1:8080";

std::vector<FieldDef> message_fields() {
  return {{"proto", "udp or tcp"}, {"seq", "number of the message, from 1"}};
}

std::vector<OptionDef> serve_options() {
  return joined<OptionDef>(
      {{{.name = "udp", .help = "serve UDP only, unless --tcp is given as well"},
        {.name = "tcp", .help = "serve TCP only, unless --udp is given as well"},
        {.name = "reply",
         .kind = Kind::template_text,
         .default_value = "{text}",
         .help = "answer with T"},
        {.name = "threads",
         .kind = Kind::integer,
         .default_value = "1",
         .help = "number of threads, each with its own sockets",
         .min = 1,
         .max = 256},
        max_clients_option("10000")},
       access_options(),
       {rate_option("limit of messages a second from each source address"), any_port_option()}});
}

// --udp and --tcp of a client, with which it speaks one of them.
std::vector<OptionDef> transport_options(std::string_view udp, std::string_view tcp) {
  return {{.name = "udp", .help = udp, .excludes = {"tcp"}}, {.name = "tcp", .help = tcp}};
}

std::vector<TotalDef> serve_totals() {
  return joined<TotalDef>({{{"received", "datagrams and TCP reads received"},
                            {"sent", "answers sent"},
                            labelled_total(kBytesMetric, "in", "bytes_received", "bytes received"),
                            labelled_total(kBytesMetric, "out", "bytes_sent", "bytes of answers"),
                            kKernelDropsTotal},
                           refusal_totals(),
                           {labelled_total(kDroppedMetric, "loop", "dropped_loop",
                                           "not answered: from a server in a loop"),
                            {"loops", "loops with other servers stopped"},
                            kUnsendableTotal,
                            {"too_big", "answers too long for a datagram"},
                            {"accepted", "TCP clients accepted"},
                            {"clients", "current TCP clients", kGauge},
                            {"refused_clients", "TCP clients refused"},
                            {"idle_clients", "TCP clients closed as idle"},
                            {"delayed", "TCP reads delayed by --rate"},
                            {"unprinted", "records dropped because threads made them too fast"}}});
}

ActionDef serve() {
  ActionDef action;
  action.name = "serve";
  action.summary = "answer UDP datagrams and TCP clients with what they send";
  action.description =
      "Prints a record per datagram and per TCP read as PEER TEXT; -q prints none. Half-closed TCP "
      "connections get the rest of their echo. Never answers port 0, itself, broadcast or "
      "multicast addresses, nor, without --any-port, the ports of services that answer any "
      "datagram; and it breaks loops with other servers.";
  action.arguments = {listen_argument(kServer)};
  action.common = kOutputOptions | kServerOptions | kIdleTimeoutOption;
  action.options = serve_options();
  action.records = {{.type = "datagram",
                     .help = "a UDP datagram was answered",
                     .fields = message_fields(),
                     .layout = "{peer} {text}"},
                    {.type = "read",
                     .help = "data of a TCP client",
                     .fields = message_fields(),
                     .layout = "{peer} {text}",
                     .is_main = true}};
  action.totals = serve_totals();
  action.examples = {
      {"netkit echo serve", "UDP and TCP on 127.0.0.1:8080"},
      {"netkit echo serve :7777 --udp -q", "UDP on every interface, without output"},
      {"netkit echo serve 9000 --reply '{ctime} {text}'", "answer with the time and the text"},
      {"netkit echo serve 9000 --json --to file:echo.log", "append what is received as JSON Lines"},
  };
  action.lifetime = Lifetime::until_told;
  action.quiet_hides_records = true;
  action.make = new_command<ServeCommand>;
  return action;
}

ActionDef send() {
  ActionDef action;
  action.name = "send";
  action.summary = "send messages and print their replies";
  action.description =
      "Each TEXT, or each line of standard input if there is none, is one message; it is sent once "
      "the reply to the previous one has arrived or is overdue. A TEXT of - is all of standard "
      "input. Exits with 1 if a reply is missing, with 69 if the server refuses.";
  action.arguments = {servers_argument(kServer),
                      {.name = "TEXT", .optional = true, .repeatable = true, .help = "a message"}};
  action.common = kOutputOptions | kWaitOption | kConnectTimeoutOption | kClientOptions;
  action.options =
      joined({transport_options("over UDP, one datagram per message (the default)",
                                "over TCP; a reply is as many bytes as were sent"),
              {hex_option(),
               {.name = "whole", .help = "send all of standard input as one message, like TEXT -"},
               {.name = "wait-for",
                .kind = Kind::duration,
                .help = "send again for up to D until any reply arrives"},
               {.name = "wait", .default_value = "1s", .help = "how long to wait for a reply"}}});
  action.records = {{.type = "reply",
                     .help = "the reply to a message",
                     .fields = {{"proto", "udp or tcp"},
                                {"seq", "number of the message, from 1"},
                                {"rtt_ms", "milliseconds from the message to the reply"}}},
                    {.type = "late",
                     .help = "a reply that arrived after --wait",
                     .fields = {{"proto", "udp or tcp"}},
                     .layout = ""}};
  action.totals = {{"sent", "messages sent"},
                   {"received", "replies received in time"},
                   {"missing", "replies not received in time"},
                   {"late", "replies received too late"}};
  action.examples = {
      {"netkit echo send 8080 hello", "one message to this machine"},
      {"netkit echo send example.com 7 one two --wait 3s", "two messages"},
      {"printf 'a\\nb\\n' | netkit echo send 8080 --tcp", "the lines of standard input, over TCP"},
      {"netkit echo send 8080 --hex '00 ff'", "bytes"},
      {"netkit echo send sip.example.com 5060 - < options.sip", "a file as one message"},
  };
  action.make = new_command<SendCommand>;
  return action;
}

constexpr TotalDef milliseconds_total(std::string_view name, std::string_view help) {
  return {.name = name, .help = help, .kind = kGauge, .unit = TotalUnit::milliseconds};
}

constexpr TotalDef kLossTotal{"loss_percent", "percentage lost", kGauge, TotalUnit::percent};

std::vector<TotalDef> ping_totals() {
  return {{"sent", "probes sent"},
          {"received", "probes answered"},
          {"lost", "probes not answered", kGauge},
          kLossTotal,
          {"duplicates", "further replies to a probe"},
          {"reordered", "replies received after one to a later probe"},
          {"refused", "probes to a port that nobody listens on"},
          {"wrong", "replies that differ from the probe"},
          milliseconds_total("rtt_min_ms", "shortest round trip"),
          milliseconds_total("rtt_mean_ms", "mean round trip"),
          milliseconds_total("rtt_p50_ms", "median round trip"),
          milliseconds_total("rtt_p90_ms", "90th percentile of the round trip"),
          milliseconds_total("rtt_p99_ms", "99th percentile of the round trip"),
          milliseconds_total("rtt_max_ms", "longest round trip"),
          milliseconds_total("jitter_ms", "mean difference between consecutive round trips")};
}

std::vector<FieldDef> summary_fields() {
  std::vector<FieldDef> fields{{"target", "the server"}};
  for (const TotalDef& total : ping_totals()) fields.push_back({total.name, total.help});
  return fields;
}

// What decides how a measurement ends.
std::vector<OptionDef> threshold_options() {
  return {{.name = "max-loss",
           .kind = Kind::percent,
           .help = "exit with 1 if more than P per cent are lost"},
          {.name = "max-p99",
           .kind = Kind::duration,
           .help = "exit with 1 if the 99th percentile of the latency is above D"}};
}

std::vector<RecordDef> ping_records() {
  return {{.type = "reply",
           .help = "a reply",
           .fields = {{"seq", "number of the probe, from 1"},
                      {"bytes", "size of the reply"},
                      {"rtt_ms", "round-trip time in milliseconds"},
                      {"duplicate", "whether the probe had been answered already"},
                      {"reordered", "whether a later probe had been answered already"}},
           .layout = "{bytes} bytes from {peer}: seq={seq} time={rtt_ms} ms"},
          {.type = "lost",
           .help = "a probe without a reply within --wait",
           .fields = {{"seq", "number of the probe, from 1"}},
           .layout = "seq={seq} no reply"},
          {.type = "summary",
           .help = "the totals of one of several servers",
           .fields = summary_fields(),
           .layout = ""}};
}

ActionDef ping() {
  ActionDef action;
  action.name = "ping";
  action.summary = "measure the latency and loss of UDP echo servers";
  action.description =
      "Prints a line per reply and per lost probe, and at the end loss, duplicates, reordering, "
      "latencies, jitter and a histogram, for each server. A reply that differs from its probe is "
      "wrong, and the probe counts as lost. Without --count it runs until it is interrupted. With "
      "several servers the worst one decides the exit status.";
  action.arguments = {server_argument(kServer)};
  action.arguments.front().repeatable = true;
  action.common = kOutputOptions | kCountOption | kIntervalOption | kWaitOption | kClientOptions |
                  kMetricsOption;
  action.options = {
      {.name = "count", .help = "stop after N probes", .max = UINT32_MAX},
      {.name = "interval", .default_value = "1s", .help = "time between probes", .min = 1},
      {.name = "targets",
       .kind = Kind::path,
       .help = "also measure the servers in FILE, one address per line; - is standard input"},
      {.name = "dscp",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "mark datagrams with this code point (RFC 2474)",
       .max = 63},
      {.name = "tcp", .help = "send probes over a TCP connection", .excludes = {"connect"}},
      {.name = "connect", .help = "time TCP handshakes instead, for services that do not echo"},
      {.name = "size",
       .letter = 's',
       .kind = Kind::size,
       .default_value = "56",
       .help = "size of a probe, 12 to 65507 bytes",
       .min = 12,
       .max = 65507},
      {.name = "wait", .default_value = "1s", .help = "how long to wait for a reply"},
      {.name = "wait-for",
       .kind = Kind::duration,
       .help = "wait up to D for the server to answer, then send one probe, or --count"},
  };
  action.options = joined<OptionDef>({std::move(action.options), threshold_options()});
  action.lifetime = Lifetime::until_told;
  action.bounded_by = {"count", "wait-for"};
  action.records = ping_records();
  action.totals = ping_totals();
  action.has_summary = true;
  action.examples = {
      {"netkit echo ping 8080 -c 5", "five probes, one a second"},
      {"netkit echo ping server 7 -c 100 -i 10ms --max-loss 1% --max-p99 5ms",
       "a check for a script"},
      {"netkit echo ping 8080 --wait-for 30s", "wait for a service to come up"},
      {"netkit echo ping web1:443 web2:443 --connect -c 3", "TCP handshakes with two servers"},
  };
  action.make = new_command<PingCommand>;
  return action;
}

std::vector<TotalDef> bench_totals() {
  return {{"packets_per_s", "replies a second", kGauge, TotalUnit::per_second},
          {"bytes_per_s", "bytes of the replies a second", kGauge, TotalUnit::bytes},
          kLossTotal,
          milliseconds_total("p50_ms", "median latency"),
          milliseconds_total("p99_ms", "99th percentile of the latency"),
          {"sent", "messages sent"},
          {"received", "replies received in time"},
          {"lost", "messages without a reply"},
          {"duplicates", "further replies to a message"},
          {"late", "replies after --wait"},
          {"skipped", "messages that could not be sent when they were due"},
          {"refused", "messages that the server's host refused"},
          labelled_total(kBytesMetric, "out", "bytes_sent", "bytes sent"),
          labelled_total(kBytesMetric, "in", "bytes_received", "bytes received"),
          milliseconds_total("min_ms", "shortest latency"),
          milliseconds_total("mean_ms", "mean latency"),
          milliseconds_total("p90_ms", "90th percentile of the latency"),
          milliseconds_total("p999_ms", "99.9th percentile of the latency"),
          milliseconds_total("max_ms", "longest latency"),
          {"seconds", "how long it took", kGauge, TotalUnit::seconds},
          {"highest_rate", "messages a second found by --search", kGauge, TotalUnit::per_second}};
}

std::vector<OptionDef> bench_options() {
  return joined(
      {transport_options("over UDP (the default)", "over TCP, one connection per flow"),
       {{.name = "flows",
         .kind = Kind::integer,
         .default_value = "16",
         .help = "sockets",
         .min = 1,
         .max = 1'000'000},
        {.name = "window",
         .kind = Kind::integer,
         .default_value = "8",
         .help = "messages in flight per flow",
         .min = 1,
         .max = 65'536},
        {.name = "size",
         .kind = Kind::size,
         .default_value = "64",
         .help = "size of a message in bytes",
         .min = 1,
         .max = 64 << 20},
        {.name = "rate", .kind = Kind::rate, .help = "messages a second, over all flows"},
        {.name = "duration",
         .kind = Kind::duration,
         .default_value = "5s",
         .help = "how long to send",
         .min = 1},
        {.name = "wait", .default_value = "1s", .help = "a message without a reply for D is lost"},
        {.name = "search",
         .help = "find the highest rate whose loss stays within --max-loss, by default 0.1 %"},
        {.name = "no-coalesce",
         .help = "never pass the kernel several datagrams at once (UDP_SEGMENT)"}}});
}

std::vector<RecordDef> bench_records() {
  return {{.type = "interval",
           .help = "with --stats=D: the results of one interval",
           .fields = {kPartFrom,
                      kPartTo,
                      {"packets_per_s", "replies a second"},
                      {"bytes_per_s", "bytes of the replies a second"},
                      {"lost", "messages lost"},
                      {"p50_ms", "median latency"},
                      {"p99_ms", "99th percentile of the latency"},
                      {"max_ms", "longest latency"}},
           .layout = ""},
          {.type = "step",
           .help = "with --search: the result at one rate",
           .fields = {{"rate", "messages a second"},
                      {"packets_per_s", "replies a second"},
                      {"loss_percent", "percentage lost"},
                      {"skipped", "messages that could not be sent when they were due"},
                      {"p99_ms", "99th percentile of the latency"},
                      {"passed", "whether it stayed within the thresholds"}},
           .layout = "{rate} /s",
           .is_main = true}};
}

ActionDef bench() {
  ActionDef action;
  action.name = "bench";
  action.summary = "load-test any echo server";
  action.description =
      "Without --rate each flow keeps --window messages in flight (closed loop). With --rate "
      "messages are sent at that rate whatever comes back (open loop), and latencies are measured "
      "from when each was due, so that stalls of the server show in full.";
  action.arguments = {servers_argument(kServer)};
  action.common = kOutputOptions | kWaitOption | kConnectTimeoutOption | kClientOptions;
  action.options = joined<OptionDef>({bench_options(), threshold_options()});
  action.records = bench_records();
  action.totals = bench_totals();
  action.has_summary = true;
  action.examples = {
      {"netkit echo bench 8080 --duration 2s", "as fast as the server answers"},
      {"netkit echo bench 8080 --rate 10000/s --flows 100", "latency at a fixed rate"},
      {"netkit echo bench 8080 --tcp --flows 1000 --window 1", "TCP request and response"},
      {"netkit echo bench 8080 --search", "the highest rate without loss"},
      {"netkit echo bench 8080 --json | tail -1", "the result as JSON"},
  };
  action.make = new_command<BenchCommand>;
  return action;
}

std::vector<ActionDef> make_actions() {
  return {serve(), send(), ping(), bench()};
}

}  // namespace

}  // namespace netkit::echo

NETKIT_PLUGIN(echo, "UDP and TCP echo server; a client that sends, pings and load-tests",
              netkit::echo::make_actions)
