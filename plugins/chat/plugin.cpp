// What `netkit chat` offers.
#include <chat/join_command.hpp>
#include <chat/peer_command.hpp>
#include <chat/serve_command.hpp>
#include <string_view>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/store/options.hpp>

namespace netkit::chat {

namespace {

using Kind = ValueKind;

constexpr std::string_view kAddress = "127.0.0.1:9998";

std::vector<RecordDef> room_records() {
  return {
      {.type = "message",
       .help = "a message",
       .fields = {{"name", "the sender"},
                  {"seq",
                   "its number in the room, from 1; private ones have none, and it is null until "
                   "the store has assigned one"},
                  {"private", "true for a private message"},
                  {"action", "true for /me"}},
       .layout = "[{name}] {text}",
       .colored_field = "name"},
      {.type = "joined",
       .help = "a member has joined",
       .fields = {{"name", "who"}},
       .layout = "* {name} joined",
       .payload_name = {},
       .colored_field = "name"},
      {.type = "left",
       .help = "a member has left",
       .fields = {{"name", "who"},
                  {"reason", "quit, lease (silent for --lease), reset, kicked, banned or revoked"}},
       .layout = "* {name} left ({reason})",
       .payload_name = {},
       .colored_field = "name"},
      {.type = "renamed",
       .help = "a member has changed its name",
       .fields = {{"from", "the previous name"}, {"name", "the new name"}},
       .layout = "* {from} is now {name}",
       .payload_name = {},
       .colored_field = "name"},
      {.type = "topic",
       .help = "the topic of the room",
       .fields = {{"name", "who set it"}},
       .layout = "* {name} set the topic: {text}",
       .colored_field = "name"}};
}

OptionDef history_option(std::string_view help) {
  return {.name = "history", .kind = Kind::path, .help = help};
}

OptionDef notices_option() {
  return {.name = "notices",
          .kind = Kind::choice,
          .default_value = "yes",
          .help = "print who joins, leaves and changes their name",
          .choices = {"yes", "no"}};
}

constexpr TotalDef kHistoryLostTotal{"history_lost",
                                     "lines that could not be written to --history"};

OptionDef page_clients_option() {
  OptionDef option = max_clients_option("20000");
  option.help = "limit of connections to the page; others are refused";
  return option;
}

std::vector<OptionDef> room_options() {
  return {
      {.name = "lease",
       .kind = Kind::duration,
       .default_value = "15s",
       .help = "drop a member that has been silent for D",
       .min = 1},
      {.name = "template",
       .kind = Kind::template_text,
       .default_value = "[{name}] {text}\\n",
       .help = "what plain members receive for each message"},
      plain_option(),
      psk_file_option(
          "encrypt with these keys, whose identities are the names of the members (netkit psk)"),
      {.name = "operators",
       .kind = Kind::text,
       .value_name = "NAME,...",
       .help = "operators, who may kick, mute and ban others and set the topic; by their keys",
       .needs = {"psk-file"}},
      history_option("append messages and notices to this file"),
      notices_option(),
      {.name = "keep",
       .kind = Kind::integer,
       .default_value = "1000",
       .help = "messages to keep for members that join later or come back",
       .min = 0,
       .max = 1000000},
      {.name = "max-members",
       .kind = Kind::integer,
       .default_value = "10000",
       .help = "limit of members; others are refused",
       .min = 1,
       .max = 1000000},
      rate_option("limit of messages from one member", "1000/s"),
      plain_rate_option(),
      max_memory_option(),
      {.name = "web",
       .kind = Kind::listen_address,
       .value_name = "[=ADDRESS]",
       .help = "serve a page for browsers, over TCP on the same port or on ADDRESS",
       .choices = {""},
       .excludes = {"psk-file"}},
      {.name = "host",
       .kind = Kind::text,
       .value_name = "NAME",
       .help = "accept requests for the page under this host name as well",
       .repeatable = true,
       .needs = {"web"}},
      page_clients_option(),
      {.name = "motd", .kind = Kind::text, .help = "a greeting for each native member that joins"}};
}

std::vector<TotalDef> serve_totals() {
  return joined(
      {{{"members", "current members", kGauge},
        {"browsers", "members connected through --web", kGauge},
        {"refused_clients", "connections to the page refused by --max-clients"},
        {"messages", "messages to all"},
        {"private_messages", "private messages"},
        {"joined", "members who joined"},
        {"left", "members who left"},
        {"expired", "members silent for longer than --lease"},
        labelled_total(kDroppedMetric, "slow", "dropped_slow",
                       "messages dropped for slow native members"),
        labelled_total(kDroppedMetric, "full", "dropped_full", "members refused by --max-members"),
        labelled_total(kDroppedMetric, "long", "dropped_long",
                       "messages from plain members that were too long"),
        labelled_total(kDroppedMetric, "plain", "dropped_plain",
                       "messages dropped for plain members"),
        kHistoryLostTotal},
       store::totals(),
       peer_totals(),
       private_totals(),
       refusal_totals(),
       datagram_server_totals()});
}

ActionDef serve() {
  ActionDef action;
  action.name = "serve";
  action.summary = "open a room";
  action.description =
      "Members speak the native dialect (netkit chat join) or the plain one: any program that "
      "sends text over UDP can take part. Prints messages, and who joins and leaves; -q prints "
      "nothing.";
  action.arguments = {listen_argument(kAddress)};
  action.common = kOutputOptions | kServerOptions | kReconnectOptions;
  action.options = joined({room_options(), access_options(), store::options()});
  action.records = room_records();
  action.totals = serve_totals();
  action.make = new_command<ServeCommand>;
  action.examples = {
      {"netkit chat serve", "a room on 127.0.0.1:9998"},
      {"netkit chat serve :9998 --motd 'be kind'", "for the whole network, with a greeting"},
      {"netkit chat serve 9998 --template 'ack: {text}'", "what plain members receive"},
      {"netkit chat serve 9998 -q --history room.log", "without output, with a log"},
      {"netkit chat serve :9998 --web", "also for browsers and phones"},
  };
  action.lifetime = Lifetime::until_told;
  action.quiet_hides_records = true;
  return action;
}

std::vector<OptionDef> join_options() {
  return {{.name = "name",
           .letter = 'n',
           .kind = Kind::text,
           .value_name = "NAME",
           .help = "the name in the room; by default $USER, or $USER2 … if that is taken"},
          {.name = "heartbeat",
           .kind = Kind::duration,
           .default_value = "5s",
           .help = "heartbeat interval",
           .min = 1},
          {.name = "since",
           .kind = Kind::count_or_word,
           .value_name = "N|all",
           .help = "print earlier messages, from number N on, or all that are kept",
           .choices = {"all"}},
          {.name = "plain",
           .help = "speak the plain dialect",
           .excludes = {"since", "commands", "psk-file"}},
          psk_file_option("encrypt with the key in FILE, whose identity is the name (netkit psk)"),
          history_option("append the conversation to this file"),
          notices_option(),
          {.name = "timestamps",
           .help = "print the time before each line, and the date when it changes; the default at "
                   "a prompt"},
          {.name = "commands", .help = "accept /commands in piped lines as well"},
          {.name = "wait",
           .default_value = "10s",
           .help = "wait for acknowledgements at the end of input"},
          {.name = "connect-timeout",
           .default_value = "10s",
           .help = "time limit for one attempt to join"},
          {.name = "reconnect",
           .default_value = "forever",
           .help = "how many times in a row to retry when the room cannot be reached"},
          {.name = "count",
           .help = "exit after N messages of others; the end of input is then ignored"}};
}

ActionDef join() {
  ActionDef action;
  action.name = "join";
  action.summary = "join a room";
  action.description =
      "At a terminal: a prompt with /who /nick /msg /me /ignore /quit /help, for operators also "
      "/kick /mute /ban /topic. Otherwise each line of standard input is a message, and the end of "
      "input leaves the room. Messages entered while the room cannot be reached are sent as soon "
      "as it can.";
  action.arguments = {servers_argument(kAddress, "the room, or several of its servers")};
  action.common = kOutputOptions | kReconnectOptions | kWaitOption | kConnectTimeoutOption |
                  kCountOption | kClientOptions;
  action.options = join_options();
  action.records = room_records();
  action.records.push_back({.type = "undelivered",
                            .help = "a message the room did not accept",
                            .fields = {{"reason", "why"}},
                            .layout = ""});
  action.records.push_back({.type = "gap",
                            .help = "messages lost",
                            .fields = {{"from", "number of the first"},
                                       {"to", "number of the last"},
                                       {"unnumbered", "how many others"}},
                            .layout = "",
                            .payload_name = {}});
  action.records.push_back({.type = "datagram",
                            .help = "with --plain: a datagram",
                            .newline_only_if_missing = true,
                            .is_main = true});
  action.totals = joined({{{"received", "messages received; with --plain, datagrams received"},
                           {"said", "lines sent to the room"},
                           {"sent", "with --plain: lines sent"},
                           {"undelivered", "lines the room did not accept"},
                           {"lost", "messages lost"}},
                          datagram_client_totals()});
  action.make = new_command<JoinCommand>;
  action.examples = {
      {"netkit chat join 127.0.0.1:9998", "a prompt in the room"},
      {"echo 'build finished' | netkit chat join 9998 --name ci", "say one line"},
      {"netkit chat join 9998 --since all --json", "all messages kept, as JSON Lines"},
      {"netkit chat join 9998 --plain", "with a server that speaks only the plain dialect"},
  };
  action.lifetime = Lifetime::until_told;
  action.bounded_by = {"count"};
  return action;
}

ActionDef peer() {
  ActionDef action;
  action.name = "peer";
  action.summary = "talk without a server";
  action.description =
      "Each line of standard input is sent unchanged to every peer; what arrives is printed. /to "
      "HOST:PORT changes the peer, /peers lists them, //x sends /x. After the end of input it "
      "exits within --wait; without any input it listens until it is stopped.";
  action.arguments = {{.name = "PEER",
                       .kind = Kind::address,
                       .optional = true,
                       .repeatable = true,
                       .help = "the peers"}};
  action.common = kOutputOptions | kServerOptions | kWaitOption;
  action.options = {
      {.name = "bind",
       .kind = Kind::listen_address,
       .default_value = "127.0.0.1:8080",
       .help = "the address to listen on and to send from"},
      history_option("append messages of both directions to this file"),
      {.name = "wait", .default_value = "1s", .help = "how long to listen after the end of input"}};
  action.records = {{.type = "message", .help = "a message", .layout = "{peer} {text}"}};
  action.totals = {{"received", "datagrams received"},
                   {"sent", "datagrams sent"},
                   kUnsendableTotal,
                   kKernelDropsTotal,
                   kHistoryLostTotal};
  action.make = new_command<PeerCommand>;
  action.examples = {
      {"netkit chat peer 192.168.1.20:8080 --bind :8080", "talk to one machine"},
      {"netkit chat peer 127.0.0.1:9001 127.0.0.1:9002 --bind 9000", "talk to two"},
      {"netkit chat peer 127.0.0.1:9001 --bind 9000 --history talk.log", "with a log"},
  };
  action.lifetime = Lifetime::until_told;
  return action;
}

std::vector<ActionDef> make_actions() {
  return {serve(), join(), peer()};
}

}  // namespace

}  // namespace netkit::chat

NETKIT_PLUGIN(chat, "UDP chat room: server, member, and a mode without a server",
              netkit::chat::make_actions)
