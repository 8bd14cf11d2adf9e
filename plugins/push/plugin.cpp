// What `netkit push` offers.
#include <chrono>
#include <push/send_command.hpp>
#include <push/serve_command.hpp>
#include <push/status_command.hpp>
#include <push/subscribe_command.hpp>
#include <string_view>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/store/options.hpp>

namespace netkit::push {

namespace {

using Kind = ValueKind;

constexpr std::string_view kAddress = "127.0.0.1:9000";

OptionDef topic_option(std::string_view help) {
  return {.name = "topic", .kind = Kind::text, .help = help};
}

OptionDef control_key_option() {
  return psk_file_option("use TLS with the key in FILE, which the server must have");
}

std::vector<OptionDef> source_options() {
  return {
      topic_option("the topic of the sources' records, such as home/kitchen/temperature"),
      {.name = "accept",
       .kind = Kind::choice,
       .default_value = "local",
       .help = "which machines may publish; local means this machine's networks",
       .choices = {"local", "all", "none"}},
      {.name = "publishers",
       .kind = Kind::text,
       .value_name = "NAME,...",
       .help = "identities that may publish; all unless given",
       .needs = {"psk-file"}},
      {.name = "every",
       .help = "make a record every D, the first after D; 10s without --from",
       .min = 1},
      {.name = "exec",
       .kind = Kind::command,
       .help = "run CMD --every D; its entire output is the record",
       .excludes = {"from", "message"}},
      {.name = "on-change", .help = "only when the output has changed", .needs = {"exec"}},
      {.name = "min-subscribers",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "wait for N subscribers before reading the source"},
      {.name = "keep-open", .help = "keep running when --from has ended"},
  };
}

std::vector<OptionDef> subscriber_options() {
  return {
      {.name = "lease",
       .kind = Kind::duration,
       .default_value = "30s",
       .help = "drop a native subscriber that has been silent for D",
       .min = Duration(std::chrono::milliseconds(100)).count()},
      {.name = "keep",
       .kind = Kind::integer,
       .default_value = "1000",
       .help = "records to keep for subscribers that come back, and to queue for slow ones",
       .min = 1,
       .max = 10'000'000},
      {.name = "keep-bytes",
       .kind = Kind::size,
       .default_value = "16M",
       .help = "limit of --keep in bytes",
       .min = 65536},
      {.name = "last", .help = "send the newest record of each topic to new subscribers"},
      {.name = "max-subscribers",
       .kind = Kind::integer,
       .default_value = "65536",
       .help = "limit of subscribers; others are refused",
       .min = 1,
       .max = 10'000'000},
      max_clients_option("1024"),
      plain_option(),
      psk_file_option("encrypt with these keys, whose identities are the names of the subscribers "
                      "(netkit psk)"),
      plain_rate_option(),
      max_memory_option(),
      rate_option("limit of datagrams a second from each source address"),
      {.name = "slow",
       .kind = Kind::choice,
       .default_value = "skip",
       .help = "what to do when a native subscriber lags; pause the source, skip its oldest "
               "records or drop it",
       .choices = {"wait", "skip", "drop"}},
      {.name = "grace",
       .kind = Kind::duration,
       .default_value = "2s",
       .help = "how long a subscriber may lag before skip and drop act"},
  };
}

std::vector<TotalDef> serve_totals() {
  return joined(
      {{{"records", "records pushed"},
        {"bytes", "their size in bytes", TotalKind::counter, TotalUnit::bytes},
        {"subscribers", "current subscribers", kGauge},
        {"subscribed", "subscriptions started"},
        {"unsubscribed", "subscriptions that ended"},
        {"delivered", "records acknowledged by native subscribers"},
        {"lost", "records lost to native subscribers"},
        {"too_long", "records over the longest message"},
        labelled_total(kRefusedMetric, "full", "refused_full",
                       "subscribers beyond --max-subscribers"),
        labelled_total(kRefusedMetric, "name", "refused_name", "subscribers with an invalid name"),
        {"dropped_slow", "subscribers dropped for being too slow"}},
       peer_totals(),
       private_totals(),
       refusal_totals(),
       store::totals(),
       datagram_server_totals()});
}

ActionDef serve() {
  ActionDef action;
  action.name = "serve";
  action.summary = "push records to all subscribers";
  action.description =
      "Each record of the source goes to every subscriber: to native ones reliably and in order, "
      "to plain ones as one UDP datagram. Prints who subscribes and unsubscribes. Subscribers are "
      "native clients, plain UDP peers that send their name, and names given over TCP (SUBSCRIBE "
      "NAME "
      "UDP-PORT, UNSUBSCRIBE NAME, LIST, STATUS, QUIT).";
  action.arguments = {listen_argument(kAddress)};
  action.common = kOutputOptions | kSourceOptions | kServerOptions | kReconnectOptions;
  action.options =
      joined({source_options(), subscriber_options(), access_options(), store::options()});
  action.totals = serve_totals();
  action.make = new_command<ServeCommand>;
  const std::vector<FieldDef> fields = {{"name", "the subscriber's name"},
                                        {"kind", "native or plain"}};
  action.records = {{.type = "subscribed",
                     .help = "a subscription started",
                     .fields = fields,
                     .layout = "{peer} subscribed {name}"},
                    {.type = "unsubscribed",
                     .help = "a subscription ended",
                     .fields = {fields[0],
                                fields[1],
                                {"reason",
                                 "left, silent, moved, unsubscribed, port unreachable, too slow, "
                                 "ended, the key was revoked or the server stops"}},
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

std::vector<OptionDef> subscribe_definitions() {
  return {
      {.name = "name",
       .kind = Kind::text,
       .help = "the name to subscribe under; HOST-PID if not given"},
      {.name = "plain",
       .help = "subscribe with plain datagrams, as any script can",
       .excludes = {"since", "psk-file"}},
      psk_file_option("encrypt with the key in FILE, whose identity is the name (netkit psk)"),
      {.name = "since",
       .kind = Kind::integer,
       .value_name = "SEQ",
       .help = "start with record SEQ, or the oldest one after it that the server keeps"},
      {.name = "topic",
       .kind = Kind::text,
       .help = "only records of this topic; + matches any level, # all remaining ones",
       .repeatable = true,
       .excludes = {"plain"}},
      {.name = "state",
       .kind = Kind::path,
       .help = "store the number of the last record in this file, and start after it",
       .excludes = {"plain"}},
      {.name = "drain",
       .help = "exit once all records up to now are received",
       .excludes = {"plain"}},
      {.name = "count", .help = "exit after N records"},
      {.name = "connect-timeout",
       .default_value = "10s",
       .help = "time limit for one attempt to subscribe"},
      {.name = "reconnect", .default_value = "forever"},
  };
}

ActionDef subscribe() {
  ActionDef action;
  action.name = "subscribe";
  action.summary = "print what a server pushes";
  action.description =
      "Subscribes and prints each record. If the connection is lost, it resubscribes and resumes "
      "where it left off; records that are lost are reported with their numbers. Exits with 0 when "
      "the server's source has ended, with 75 when its name was taken over by another.";
  action.arguments = {servers_argument(kAddress)};
  action.common =
      kOutputOptions | kReconnectOptions | kCountOption | kConnectTimeoutOption | kClientOptions;
  action.options = subscribe_definitions();
  action.totals = joined({{{"records", "records received"},
                           {"bytes", "their size in bytes", TotalKind::counter, TotalUnit::bytes},
                           {"lost", "records lost for good"},
                           {"gaps", "gaps in the numbers"},
                           {"subscribed", "times subscribed"}},
                          datagram_client_totals()});
  action.make = new_command<SubscribeCommand>;
  action.records = {
      {.type = "push",
       .help = "a record",
       .fields = {{"seq", "its number; native only"},
                  {"topic",
                   "with --topic, --drain or {topic} in --template: its topic, if it has one"}},
       .layout = "{text}"},
      {.type = "gap",
       .help = "records lost for good",
       .fields = {{"from", "number of the first"}, {"to", "number of the last"}},
       .layout = ""}};
  action.examples = {
      {"netkit push subscribe 9000", "print what 127.0.0.1:9000 pushes"},
      {"netkit push subscribe 192.168.8.2:9000 --name kitchen --json", "as JSON Lines"},
      {"netkit push subscribe 9000 --since 1 --count 10", "the first ten that are kept"},
      {"netkit push subscribe 9000 --topic 'home/+/temperature' --json", "by topic"},
      {"netkit push subscribe 9000 --state seen --drain", "what is new since the last time"},
      {"netkit push subscribe 9000 --plain", "from a server that supports only plain datagrams"},
      {"netkit push subscribe 9000 --to broadcast:192.168.8.255:5000", "relay it to a LAN"},
  };
  action.lifetime = Lifetime::until_told;
  action.bounded_by = {"count", "drain"};
  return action;
}

ActionDef send() {
  ActionDef action;
  action.name = "send";
  action.summary = "send records to a running server";
  action.description =
      "Each argument, or each line of standard input if there is none, is a record. Exits with 0 "
      "once the server, or its store, has them all.";
  action.arguments = {
      servers_argument(kAddress),
      {.name = "TEXT", .optional = true, .repeatable = true, .help = "the records"}};
  action.common = kOutputOptions | kSourceOptions | kConnectTimeoutOption | kClientOptions;
  action.options = {topic_option("the records' topic, such as home/kitchen/temperature"),
                    control_key_option()};
  action.totals = {{"sent", "records sent"},
                   {"bytes", "their size in bytes", TotalKind::counter, TotalUnit::bytes},
                   {"taken", "records the server has taken"}};
  action.make = new_command<SendCommand>;
  action.until_told_by = {"every"};
  action.examples = {
      {"netkit push send 9000 hello", "one record for all subscribers"},
      {"netkit push send 9000 --topic home/kitchen 21.5", "one with a topic"},
      {"tail -F app.log | netkit push send 192.168.8.2:9000", "each line"},
  };
  return action;
}

ActionDef status() {
  ActionDef action;
  action.name = "status";
  action.summary = "show who is subscribed";
  action.description = "Asks over the TCP control channel and prints a line per subscriber.";
  action.arguments = {servers_argument(kAddress)};
  action.common = kOutputOptions | kWaitOption | kClientOptions;
  action.options = {{.name = "wait", .default_value = "5s"},
                    control_key_option(),
                    {.name = "watch",
                     .kind = Kind::duration,
                     .help = "repeat every D until stopped",
                     .min = Duration(std::chrono::milliseconds(100)).count()}};
  action.totals = {{"subscribers", "subscribers shown"}};
  action.make = new_command<StatusCommand>;
  action.until_told_by = {"watch"};
  action.records = {
      {.type = "subscriber",
       .help = "a subscriber",
       .fields = {{"name", "its name"},
                  {"address", "its UDP address"},
                  {"kind", "native or plain"},
                  {"age", "seconds since it subscribed"},
                  {"sent", "records sent, or for a native one acknowledged"},
                  {"lost", "records it will never get"},
                  {"lag", "records queued or not yet acknowledged"},
                  {"rtt_ms", "for a native one: its round-trip time in milliseconds"},
                  {"window", "how many datagrams may be in flight to it"},
                  {"rate", "datagrams a second delivered by its path; 0: not known"},
                  {"retransmitted", "datagrams lost and retransmitted"}},
       .layout = "{name} {address} {kind} age={age} sent={sent} lost={lost} lag={lag} rtt={rtt_ms} "
                 "window={window} rate={rate} retransmitted={retransmitted}"}};
  action.examples = {{"netkit push status 9000", "the roster of 127.0.0.1:9000"},
                     {"netkit push status 9000 --watch 2s", "every two seconds"},
                     {"netkit push status 9000 --json", "with all numbers, for scripts"}};
  return action;
}

std::vector<ActionDef> make_actions() {
  return {serve(), subscribe(), send(), status()};
}

}  // namespace

}  // namespace netkit::push

NETKIT_PLUGIN(push, "subscribers register by name, a server pushes data to all of them by UDP",
              netkit::push::make_actions)
