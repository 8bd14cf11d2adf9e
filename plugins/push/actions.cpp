#include <push/actions.hpp>

namespace netkit::push {

namespace {

using Kind = ValueKind;

ArgumentDef server_argument() {
  return {.name = "ADDRESS", .kind = Kind::address, .help = "the server"};
}

std::vector<OptionDef> source_options() {
  return {
      {.name = "every",
       .kind = Kind::duration,
       .help = "make a record every D, the first after D; 10s when no --from is given"},
      {.name = "message",
       .kind = Kind::template_text,
       .default_value = "{date}",
       .help = "the text of the records that --every makes"},
      {.name = "exec",
       .kind = Kind::command,
       .help = "run CMD --every D; its whole output is the record"},
      {.name = "on-change", .help = "with --exec: only when the output has changed"},
      {.name = "min-subscribers",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "wait for N subscribers before the source is read"},
      {.name = "keep-open", .help = "go on when --from has ended"},
  };
}

std::vector<OptionDef> subscriber_options() {
  return {
      {.name = "lease",
       .kind = Kind::duration,
       .default_value = "30s",
       .help = "forget a native subscriber that was silent for D"},
      {.name = "keep",
       .kind = Kind::integer,
       .default_value = "1000",
       .help = "records kept for those who come back, and waiting for a slow one",
       .min = 1,
       .max = 10'000'000},
      {.name = "keep-bytes",
       .kind = Kind::size,
       .default_value = "16M",
       .help = "bytes of records kept, at most, whatever --keep says",
       .min = 65536},
      {.name = "last", .help = "send the newest record to a newcomer"},
      {.name = "max-subscribers",
       .kind = Kind::integer,
       .default_value = "65536",
       .help = "subscribers at once; others are refused",
       .min = 1,
       .max = 10'000'000},
      {.name = "max-clients",
       .kind = Kind::integer,
       .default_value = "1024",
       .help = "TCP control connections at once; others are refused",
       .min = 1},
      {.name = "plain",
       .kind = Kind::choice,
       .default_value = "local",
       .help = "take plain registrations from attached networks, from all, or none",
       .choices = {"local", "all", "none"}},
      {.name = "slow",
       .kind = Kind::choice,
       .default_value = "skip",
       .help = "for a native subscriber with --keep records waiting: wait with the source, skip "
               "its oldest, or drop it",
       .choices = {"wait", "skip", "drop"}},
      {.name = "grace",
       .kind = Kind::duration,
       .default_value = "2s",
       .help = "how long --from is held before skip and drop act"},
  };
}

ActionDef serve() {
  ActionDef action;
  action.name = "serve";
  action.summary = "push records to everyone who subscribes";
  action.description =
      "Each record of the source goes to every subscriber: to native ones reliably and in order, "
      "to plain ones as one UDP datagram. Prints who comes and goes. Subscribers are native "
      "clients, plain UDP peers that send their name, and names given over TCP (SUBSCRIBE NAME "
      "UDP-PORT, UNSUBSCRIBE NAME, LIST, STATUS, QUIT).";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::address,
                       .default_value = "127.0.0.1:9000",
                       .optional = true,
                       .repeatable = false,
                       .help = "where to listen; :PORT is every interface"}};
  action.common = kOutputOptions | kSourceOptions | kServerOptions;
  action.options = source_options();
  for (OptionDef& option : subscriber_options()) action.options.push_back(std::move(option));
  const std::vector<FieldDef> fields = {{"name", "the subscriber's name"},
                                        {"kind", "native or plain"}};
  action.records = {{.type = "subscribed",
                     .help = "somebody has subscribed",
                     .fields = fields,
                     .layout = "{peer} subscribed {name}"},
                    {.type = "unsubscribed",
                     .help = "somebody is not subscribed any more",
                     .fields = {fields[0],
                                fields[1],
                                {"reason",
                                 "left, silent, moved, unsubscribed, port unreachable, too slow, "
                                 "ended or the server stops"}},
                     .layout = "{peer} unsubscribed {name}"}};
  action.examples = {
      {"netkit push serve", "the local time every 10 seconds, on 127.0.0.1:9000"},
      {"netkit push serve :9000 --every 1s --message 'tick {seq}'", "to the whole network"},
      {"tail -F app.log | netkit push serve --from - --last", "follow a file"},
      {"netkit push serve --exec 'cat /proc/loadavg' --every 5s --on-change", "when it changes"},
      {"seq 1 1000000 | netkit push serve --from - --slow wait --min-subscribers 3",
       "every line to three subscribers, as fast as the slowest takes them"},
  };
  action.lifetime = Lifetime::until_told;
  action.quiet_hides_records = true;
  return action;
}

ActionDef subscribe() {
  ActionDef action;
  action.name = "subscribe";
  action.summary = "print what a server pushes";
  action.description =
      "Subscribes, prints each record, and comes back by itself when the connection is lost, where "
      "it left off. What could not be repaired is reported with its numbers. Ends with 0 when the "
      "server's source has ended, with 75 when its name was taken by another.";
  action.arguments = {server_argument()};
  action.common = kOutputOptions | kReconnectOptions | kCountOption | kConnectTimeoutOption;
  action.options = {
      {.name = "name",
       .kind = Kind::text,
       .help = "the name to subscribe under; HOST-PID if not given"},
      {.name = "plain", .help = "subscribe by plain datagrams, as any small script can"},
      {.name = "since",
       .kind = Kind::integer,
       .value_name = "SEQ",
       .help = "begin with record SEQ, or the oldest after it that the server keeps"},
      {.name = "count",
       .letter = 'c',
       .kind = Kind::integer,
       .help = "end after N records",
       .min = 1},
      {.name = "connect-timeout",
       .kind = Kind::duration,
       .default_value = "10s",
       .help = "how long one attempt to subscribe may take"},
      {.name = "reconnect",
       .kind = Kind::count_or_word,
       .value_name = "never|N|forever",
       .default_value = "forever",
       .help = "how many times in a row to try again after a connection is lost",
       .choices = {"never", "forever"}},
  };
  action.records = {{.type = "push",
                     .help = "a record",
                     .fields = {{"seq", "its number; native only"}},
                     .layout = "{text}"},
                    {.type = "gap",
                     .help = "records that are lost for good",
                     .fields = {{"from", "number of the first"}, {"to", "number of the last"}},
                     .layout = ""}};
  action.examples = {
      {"netkit push subscribe 9000", "print what 127.0.0.1:9000 pushes"},
      {"netkit push subscribe 192.168.8.2:9000 --name kitchen --json", "as JSON Lines"},
      {"netkit push subscribe 9000 --since 1 --count 10", "the first ten that are kept"},
      {"netkit push subscribe 9000 --plain", "from a server that knows plain datagrams only"},
      {"netkit push subscribe 9000 --to broadcast:192.168.8.255:5000", "pass it on to a LAN"},
  };
  action.lifetime = Lifetime::until_told;
  return action;
}

ActionDef status() {
  ActionDef action;
  action.name = "status";
  action.summary = "show who is subscribed";
  action.description = "Asks over the TCP control channel and prints a line per subscriber.";
  action.arguments = {server_argument()};
  action.common = kOutputOptions | kWaitOption;
  action.options = {{.name = "wait",
                     .letter = 'w',
                     .kind = Kind::duration,
                     .default_value = "5s",
                     .help = "how long to wait for the answer"}};
  action.records = {
      {.type = "subscriber",
       .help = "a subscriber",
       .fields = {{"name", "its name"},
                  {"address", "its UDP address"},
                  {"kind", "native or plain"},
                  {"age", "seconds since it subscribed"},
                  {"sent", "records sent; of a native one those that it acknowledged"},
                  {"lost", "records that it did not and will not get"},
                  {"lag", "records waiting or not acknowledged yet"}},
       .layout = "{name} {address} {kind} age={age} sent={sent} lost={lost} lag={lag}"}};
  action.examples = {{"netkit push status 9000", "the roster of 127.0.0.1:9000"},
                     {"netkit push status 9000 --json", "with all numbers, for scripts"}};
  return action;
}

}  // namespace

std::vector<ActionDef> make_actions() {
  return {serve(), subscribe(), status()};
}

}  // namespace netkit::push
