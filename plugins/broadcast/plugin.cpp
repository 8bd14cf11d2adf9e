// What `netkit broadcast` offers.
#include <broadcast/listen_command.hpp>
#include <broadcast/send_command.hpp>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::broadcast {

namespace {

using Kind = ValueKind;

OptionDef send_rate_option() {
  OptionDef option = plain_rate_option();
  option.help = "limit of bytes a second to other machines; none: no limit";
  return option;
}

std::vector<OptionDef> send_options() {
  return {
      {.name = "interface",
       .kind = Kind::interface,
       .help = "send on IF only, instead of on all that are up",
       .repeatable = true},
      {.name = "wait", .default_value = "1s", .help = "how long to wait for answers"},
      {.name = "replies",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "stop after N answers; 0: no limit"},
      {.name = "expect",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "exit with 1 if fewer than N answers arrive"},
      {.name = "repeat",
       .kind = Kind::integer,
       .default_value = "1",
       .help = "send each message N times",
       .min = 1,
       .max = 1'000'000},
      {.name = "interval", .default_value = "100ms", .help = "time between repetitions"},
      {.name = "ttl",
       .kind = Kind::integer,
       .default_value = "1",
       .help = "time to live, in hops",
       .min = 1,
       .max = 255},
      send_rate_option(),
      hex_option(),
      {.name = "max-responders",
       .kind = Kind::integer,
       .default_value = "65536",
       .help = "responders to remember per message",
       .min = 1},
  };
}

ActionDef send() {
  ActionDef action;
  action.name = "send";
  action.summary = "send messages to everyone and print the answers";
  action.description =
      "255.255.255.255 is sent to the broadcast address of every interface that is up, and needs "
      "no default route; a multicast address is sent on every interface; a directed broadcast "
      "address is sent once, according to the routing table. Each TEXT, or each line of standard "
      "input if there is none, is a message. Each responder is printed once per message.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::address,
                       .default_value = "255.255.255.255:8086",
                       .optional = true,
                       .help = "where to send; PORT alone is 255.255.255.255:PORT, a multicast "
                               "address means multicast"},
                      {.name = "TEXT", .optional = true, .repeatable = true, .help = "a message"}};
  action.common = kOutputOptions | kSourceOptions | kWaitOption | kIntervalOption | kClientOptions;
  action.options = send_options();
  action.records = {{.type = "answer",
                     .help = "an answer",
                     .fields = {{"rtt_ms", "milliseconds from the message to the answer"},
                                {"interface", "name of the receiving interface"},
                                {"seq", "number of the message, from 1"}},
                     .layout = "{peer} {text}"}};
  action.totals = {{"messages", "messages sent"},
                   {"sent", "datagrams sent, one per network and repetition"},
                   {"refused", "datagrams the kernel did not accept"},
                   {"answers", "answers, one per responder and message"},
                   {"duplicates", "further answers"},
                   {"overflow", "answers of responders beyond --max-responders"},
                   kKernelDropsTotal};
  action.make = new_command<SendCommand>;
  action.examples = {
      {"netkit broadcast send 255.255.255.255:8086 'who is there?'", "ask every network"},
      {"netkit broadcast send 239.1.2.3:5000 hello --ttl 4", "multicast, past three routers"},
      {"netkit broadcast send 192.168.8.255:8086 ping --expect 3",
       "status 1 if fewer than 3 answer"},
      {"netkit broadcast send 127.255.255.255:8086 --every 1s -w none", "the time, every second"},
  };
  action.until_told_by = {"every"};
  action.bounded_by = {"replies"};
  return action;
}

std::vector<OptionDef> listen_options() {
  return {
      {.name = "group",
       .kind = Kind::ip,
       .value_name = "ADDR",
       .help = "join this multicast group",
       .repeatable = true},
      {.name = "source",
       .kind = Kind::ip,
       .value_name = "ADDR",
       .help = "receive only what this host sends to the group"},
      {.name = "interface",
       .kind = Kind::interface,
       .help = "join on IF, and receive only from it",
       .repeatable = true},
      {.name = "reply", .kind = Kind::template_text, .help = "answer each datagram with T"},
      {.name = "hex", .help = "show datagrams in hexadecimal"},
      any_port_option(),
  };
}

ActionDef listen() {
  ActionDef action;
  action.name = "listen";
  action.summary = "print broadcast and multicast datagrams, and answer";
  action.description =
      "Shares its port with other listeners. Prints PEER TEXT; with --json also the interface and "
      "the destination address of a datagram. Receives the groups it joins and no others; on a "
      "single address of this machine it receives the broadcasts of that network, too. Interfaces "
      "that come up later are used as well.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::listen_address,
                       .default_value = ":8086",
                       .optional = true,
                       .help = "where to listen; a multicast address is joined"}};
  action.common = kOutputOptions | kServerOptions | kCountOption;
  action.options = joined({listen_options(),
                           access_options(),
                           {rate_option("limit of datagrams a second from each source address")}});
  action.records = {{.type = "datagram",
                     .help = "a datagram",
                     .fields = {{"interface", "name of the receiving interface"},
                                {"destination", "the address it was sent to"},
                                {"seq", "number of the datagram, from 1"}},
                     .layout = "{peer} {text}"}};
  action.totals = joined<TotalDef>(
      {{{"received", "datagrams received"},
        {"answered", "answers sent"},
        {"unanswered", "datagrams from sources that are never answered"},
        kUnsendableTotal,
        {"ignored", "datagrams received by another interface or for another group"},
        kKernelDropsTotal},
       refusal_totals()});
  action.make = new_command<ListenCommand>;
  action.examples = {
      {"netkit broadcast listen", "port 8086 on every interface"},
      {"netkit broadcast listen :8086 --reply '{host} is here'", "answer each sender"},
      {"netkit broadcast listen :5000 --group 239.1.2.3 --json",
       "a multicast group, as JSON Lines"},
      {"netkit broadcast listen -c 1 -t 5s", "wait up to five seconds for one datagram"},
  };
  action.lifetime = Lifetime::until_told;
  action.bounded_by = {"count"};
  action.quiet_hides_records = true;
  return action;
}

std::vector<ActionDef> make_actions() {
  return {send(), listen()};
}

}  // namespace

}  // namespace netkit::broadcast

NETKIT_PLUGIN(broadcast, "send to a whole network by UDP, and collect the answers",
              netkit::broadcast::make_actions)
