#include <echo/actions.hpp>

namespace netkit::echo {

namespace {

using Kind = ValueKind;

const std::vector<FieldDef> kMessageFields = {{"proto", "udp or tcp"},
                                              {"seq", "number of the message, from 1"}};

std::vector<OptionDef> serve_options() {
  return {
      {.name = "udp", .help = "answer UDP only, unless --tcp is given as well"},
      {.name = "tcp", .help = "answer TCP only, unless --udp is given as well"},
      {.name = "reply",
       .kind = Kind::template_text,
       .default_value = "{text}",
       .help = "answer with T"},
      {.name = "threads",
       .kind = Kind::integer,
       .default_value = "1",
       .help = "threads, each with sockets of its own",
       .min = 1,
       .max = 256},
      {.name = "max-clients",
       .kind = Kind::integer,
       .default_value = "10000",
       .help = "TCP clients at once; others are refused",
       .min = 1},
      {.name = "allow",
       .kind = Kind::cidr,
       .help = "have to do with addresses in CIDR only",
       .repeatable = true},
      {.name = "deny",
       .kind = Kind::cidr,
       .help = "have nothing to do with addresses in CIDR",
       .repeatable = true},
      {.name = "rate",
       .kind = Kind::rate,
       .help = "messages a second that each source address is answered"},
      {.name = "any-port", .help = "answer the ports of well-known services too"},
  };
}

ActionDef serve() {
  ActionDef action;
  action.name = "serve";
  action.summary = "answer UDP datagrams and TCP clients with what they send";
  action.description =
      "Prints a record per datagram and per TCP read as PEER TEXT; -q prints none. Half-closed TCP "
      "connections get the rest of their echo. Never answers port 0, itself, broadcast or "
      "multicast addresses, nor, without --any-port, the ports of services that answer answers; "
      "and it stops a loop with another server.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::address,
                       .default_value = "127.0.0.1:8080",
                       .optional = true,
                       .repeatable = false,
                       .help = "where to listen; :PORT is every interface"}};
  action.common = kOutputOptions | kServerOptions | kIdleTimeoutOption;
  action.options = serve_options();
  action.records = {{.type = "datagram",
                     .help = "a UDP datagram was answered",
                     .fields = kMessageFields,
                     .layout = "{peer} {text}"},
                    {.type = "read",
                     .help = "a TCP client sent something",
                     .fields = kMessageFields,
                     .layout = "{peer} {text}"}};
  action.examples = {
      {"netkit echo serve", "UDP and TCP on 127.0.0.1:8080"},
      {"netkit echo serve :7777 --udp -q", "UDP on every interface, silent"},
      {"netkit echo serve 9000 --reply '{ctime} {text}'", "answer with the time and the text"},
      {"netkit echo serve 9000 --json --to file:echo.log", "keep what comes as JSON Lines"},
  };
  action.lifetime = Lifetime::until_told;
  return action;
}

ActionDef send() {
  ActionDef action;
  action.name = "send";
  action.summary = "send messages and print their replies";
  action.description =
      "Each TEXT, or else each line of standard input, is one message; it is sent when the reply "
      "to the one before is in or overdue. Ends with 1 if a reply stays out, with 69 if the server "
      "refuses.";
  action.arguments = {{.name = "ADDRESS", .kind = Kind::address, .help = "the server"},
                      {.name = "TEXT",
                       .kind = Kind::text,
                       .default_value = {},
                       .optional = true,
                       .repeatable = true,
                       .help = "a message"}};
  action.common = kOutputOptions | kWaitOption | kConnectTimeoutOption;
  action.options = {
      {.name = "udp", .help = "by UDP, a datagram a message (the default)"},
      {.name = "tcp", .help = "by TCP; a reply is as many bytes as were sent"},
      {.name = "hex", .help = "messages are given, and replies shown, in hexadecimal"},
      {.name = "wait",
       .letter = 'w',
       .kind = Kind::duration,
       .default_value = "1s",
       .help = "how long to wait for a reply"},
  };
  action.records = {{.type = "reply",
                     .help = "the reply to a message",
                     .fields = {{"proto", "udp or tcp"},
                                {"seq", "number of the message, from 1"},
                                {"rtt_ms", "milliseconds from the message to its reply"}}},
                    {.type = "late",
                     .help = "the reply to a message that was no longer waited for",
                     .fields = {{"proto", "udp or tcp"}},
                     .layout = ""}};
  action.examples = {
      {"netkit echo send 8080 hello", "one message to this machine"},
      {"netkit echo send example.com 7 one two --wait 3s", "two messages"},
      {"printf 'a\\nb\\n' | netkit echo send 8080 --tcp", "the lines of standard input, by TCP"},
      {"netkit echo send 8080 --hex '00 ff'", "bytes"},
  };
  return action;
}

ActionDef ping() {
  ActionDef action;
  action.name = "ping";
  action.summary = "measure how long a UDP echo server takes, and how much it loses";
  action.description =
      "Prints a line per reply, and at the end loss, duplicates, reordering, latencies, jitter and "
      "a histogram. Without --count it goes on until it is interrupted.";
  action.arguments = {{.name = "ADDRESS", .kind = Kind::address, .help = "the server"}};
  action.common = kOutputOptions | kCountOption | kIntervalOption | kWaitOption;
  action.options = {
      {.name = "count",
       .letter = 'c',
       .kind = Kind::integer,
       .help = "end after N probes",
       .min = 1,
       .max = UINT32_MAX},
      {.name = "interval",
       .letter = 'i',
       .kind = Kind::duration,
       .default_value = "1s",
       .help = "the time between two probes"},
      {.name = "size",
       .letter = 's',
       .kind = Kind::size,
       .value_name = "SIZE",
       .default_value = "56",
       .help = "bytes of a probe, 12 to 65507"},
      {.name = "wait",
       .letter = 'w',
       .kind = Kind::duration,
       .default_value = "1s",
       .help = "how long to wait for the last reply"},
      {.name = "max-loss",
       .kind = Kind::percent,
       .value_name = "P",
       .help = "end with 1 when more than P per cent are lost"},
      {.name = "max-p99",
       .kind = Kind::duration,
       .help = "end with 1 when one reply in a hundred takes longer than D"},
      {.name = "wait-for",
       .kind = Kind::duration,
       .help = "wait up to D until the server answers; then one probe, or --count"},
  };
  action.records = {{.type = "reply",
                     .help = "a reply came",
                     .fields = {{"seq", "number of the probe, from 1"},
                                {"bytes", "size of the reply"},
                                {"rtt_ms", "round-trip time in milliseconds"},
                                {"duplicate", "whether the probe was answered before"},
                                {"reordered", "whether a later probe was answered before"}},
                     .layout = "{bytes} bytes from {peer}: seq={seq} time={rtt_ms} ms"}};
  action.examples = {
      {"netkit echo ping 8080 -c 5", "five probes, one a second"},
      {"netkit echo ping server 7 -c 100 -i 10ms --max-loss 1% --max-p99 5ms",
       "a check for a script"},
      {"netkit echo ping 8080 --wait-for 30s", "wait for a service to come up"},
  };
  return action;
}

ActionDef bench() {
  ActionDef action;
  action.name = "bench";
  action.summary = "load-test any echo server";
  action.description =
      "Without --rate each flow keeps --window messages under way (closed loop). With --rate "
      "messages leave at that rate whatever comes back (open loop), and latencies count from when "
      "each was due, so a server's pauses show in full.";
  action.arguments = {{.name = "ADDRESS", .kind = Kind::address, .help = "the server"}};
  action.common = kOutputOptions | kWaitOption | kConnectTimeoutOption;
  action.options = {
      {.name = "udp", .help = "by UDP (the default)"},
      {.name = "tcp", .help = "by TCP, a connection a flow"},
      {.name = "flows",
       .kind = Kind::integer,
       .default_value = "16",
       .help = "sockets",
       .min = 1,
       .max = 1'000'000},
      {.name = "window",
       .kind = Kind::integer,
       .default_value = "8",
       .help = "messages that a flow has under way",
       .min = 1,
       .max = 65'536},
      {.name = "size", .kind = Kind::size, .default_value = "64", .help = "bytes of a message"},
      {.name = "rate", .kind = Kind::rate, .help = "messages a second, of all flows together"},
      {.name = "duration",
       .kind = Kind::duration,
       .default_value = "5s",
       .help = "how long to send"},
      {.name = "wait",
       .letter = 'w',
       .kind = Kind::duration,
       .default_value = "1s",
       .help = "a message without a reply for D is lost"},
      {.name = "no-coalesce",
       .help = "never hand the kernel several datagrams as one (UDP_SEGMENT)"},
  };
  action.examples = {
      {"netkit echo bench 8080 --duration 2s", "as fast as answers come"},
      {"netkit echo bench 8080 --rate 10000/s --flows 100", "latency at a fixed rate"},
      {"netkit echo bench 8080 --tcp --flows 1000 --window 1", "TCP request and response"},
      {"netkit echo bench 8080 --json | tail -1", "the result as JSON"},
  };
  return action;
}

}  // namespace

std::vector<ActionDef> make_actions() {
  return {serve(), send(), ping(), bench()};
}

}  // namespace netkit::echo
