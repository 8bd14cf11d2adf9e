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
       .help = "somebody said something",
       .fields = {{"name", "who said it"},
                  {"seq",
                   "its number in the room, from 1; private ones have none, and null says that the "
                   "store has not given one yet"},
                  {"private", "true: it is not for everybody"},
                  {"action", "true: it was said by /me"}},
       .layout = "[{name}] {text}",
       .colored_field = "name"},
      {.type = "joined",
       .help = "somebody has come",
       .fields = {{"name", "who"}},
       .layout = "* {name} joined",
       .payload_name = {},
       .colored_field = "name"},
      {.type = "left",
       .help = "somebody has gone",
       .fields = {{"name", "who"},
                  {"reason",
                   "quit, lease (not heard from for --lease), reset, kicked, banned or revoked"}},
       .layout = "* {name} left ({reason})",
       .payload_name = {},
       .colored_field = "name"},
      {.type = "renamed",
       .help = "somebody took another name",
       .fields = {{"from", "the name before"}, {"name", "the name now"}},
       .layout = "* {from} is now {name}",
       .payload_name = {},
       .colored_field = "name"},
      {.type = "topic",
       .help = "what the room is about",
       .fields = {{"name", "who says so"}},
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
          .help = "whether to show who comes, goes and takes another name",
          .choices = {"yes", "no"}};
}

constexpr TotalDef kHistoryLostTotal{"history_lost", "lines that --history could not keep"};

std::vector<OptionDef> room_options() {
  return {{.name = "lease",
           .kind = Kind::duration,
           .default_value = "15s",
           .help = "silence after which a member is given up",
           .min = 1},
          {.name = "template",
           .kind = Kind::template_text,
           .default_value = "[{name}] {text}\\n",
           .help = "what plain members get for each message"},
          plain_option(),
          psk_file_option("keys of the members, who then are encrypted and have the names of their "
                          "keys (netkit psk)"),
          {.name = "operators",
           .kind = Kind::text,
           .value_name = "NAME,...",
           .help = "members who may kick, mute and ban others and set the topic, by their keys",
           .needs = {"psk-file"}},
          history_option("append what happens to this file"),
          notices_option(),
          {.name = "keep",
           .kind = Kind::integer,
           .default_value = "1000",
           .help = "messages kept for those who come later or come back",
           .min = 0,
           .max = 1000000},
          {.name = "max-members",
           .kind = Kind::integer,
           .default_value = "10000",
           .help = "members at once; others are refused",
           .min = 1,
           .max = 1000000},
          rate_option("messages that are taken from one member", "1000/s"),
          plain_rate_option(),
          max_memory_option(),
          {.name = "web",
           .kind = Kind::listen_address,
           .value_name = "[ADDRESS]",
           .help = "serve a page for browsers too, by TCP at the same port or at ADDRESS",
           .choices = {""},
           .excludes = {"psk-file"}},
          {.name = "host",
           .kind = Kind::text,
           .value_name = "NAME",
           .help = "a name that the page may be asked by, beside those of this machine",
           .repeatable = true,
           .needs = {"web"}},
          {.name = "motd", .kind = Kind::text, .help = "a greeting for every native newcomer"}};
}

std::vector<TotalDef> serve_totals() {
  return joined(
      {{{"members", "members now", kGauge},
        {"browsers", "members of those who are at the page of --web", kGauge},
        {"messages", "messages to all"},
        {"private_messages", "private messages"},
        {"joined", "members who came"},
        {"left", "members who went"},
        {"expired", "members who were silent for --lease"},
        labelled_total(kDroppedMetric, "slow", "dropped_slow",
                       "messages that a slow native member does not get"),
        labelled_total(kDroppedMetric, "full", "dropped_full", "newcomers beyond --max-members"),
        labelled_total(kDroppedMetric, "long", "dropped_long",
                       "messages of plain members that were too long"),
        labelled_total(kDroppedMetric, "plain", "dropped_plain",
                       "messages that plain members do not get"),
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
      "sends text by UDP takes part. Prints what is said and who comes and goes; -q prints "
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
      {"netkit chat serve 9998 --template 'ack: {text}'", "what plain members get"},
      {"netkit chat serve 9998 -q --history room.log", "silent, with a log"},
      {"netkit chat serve :9998 --web", "for browsers and phones, too"},
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
           .help = "the name in the room; without it $USER, or $USER2 … while that is taken"},
          {.name = "heartbeat",
           .kind = Kind::duration,
           .default_value = "5s",
           .help = "how often to give a sign of life",
           .min = 1},
          {.name = "since",
           .kind = Kind::count_or_word,
           .value_name = "N|all",
           .help = "hear what was said before, from message N on or as far back as is kept",
           .choices = {"all"}},
          {.name = "plain",
           .help = "speak the plain dialect",
           .excludes = {"since", "commands", "psk-file"}},
          psk_file_option("the key to be encrypted by, whose identity is the name (netkit psk)"),
          history_option("append what is said to this file"),
          notices_option(),
          {.name = "timestamps",
           .help = "the time in front of each line, and the day when it changes; at a prompt it is "
                   "there anyway"},
          {.name = "commands", .help = "obey /commands in piped lines, too"},
          {.name = "wait",
           .default_value = "10s",
           .help = "at the end of input, how long to wait for the room to take what was said"},
          {.name = "connect-timeout",
           .default_value = "10s",
           .help = "how long one try to join may take"},
          {.name = "reconnect",
           .default_value = "forever",
           .help = "how many times in a row to try again when the room cannot be reached"},
          {.name = "count",
           .help = "end after N messages of others; the end of input then ends nothing"}};
}

ActionDef join() {
  ActionDef action;
  action.name = "join";
  action.summary = "take part in a room";
  action.description =
      "At a terminal: a prompt with /who /nick /msg /me /ignore /quit /help, for operators also "
      "/kick /mute /ban /topic. Otherwise each line "
      "of standard input is said as it is, and the end of input says goodbye. What was said while "
      "the room could not be reached is said as soon as it can.";
  ArgumentDef servers = server_argument(kAddress, "the room, or several of its servers");
  servers.kind = Kind::addresses;
  action.arguments = {servers};
  action.common = kOutputOptions | kReconnectOptions | kWaitOption | kConnectTimeoutOption |
                  kCountOption | kClientOptions;
  action.options = join_options();
  action.records = room_records();
  action.records.push_back({.type = "undelivered",
                            .help = "something that was said and not taken",
                            .fields = {{"reason", "why"}},
                            .layout = ""});
  action.records.push_back({.type = "gap",
                            .help = "messages that are lost",
                            .fields = {{"from", "number of the first"},
                                       {"to", "number of the last"},
                                       {"unnumbered", "how many without a number"}},
                            .layout = "",
                            .payload_name = {}});
  action.records.push_back({.type = "datagram",
                            .help = "with --plain: something came",
                            .newline_only_if_missing = true});
  action.totals = joined({{{"received", "messages, and with --plain datagrams, that came"},
                           {"said", "lines said to the room"},
                           {"sent", "with --plain: lines that were sent"},
                           {"undelivered", "lines that the room did not take"},
                           {"lost", "messages that are lost"}},
                          datagram_client_totals()});
  action.make = new_command<JoinCommand>;
  action.examples = {
      {"netkit chat join 127.0.0.1:9998", "a prompt in the room"},
      {"echo 'build finished' | netkit chat join 9998 --name ci", "say one line"},
      {"netkit chat join 9998 --since all --json", "everything that is kept, as JSON Lines"},
      {"netkit chat join 9998 --plain", "with a server that only knows text"},
  };
  action.lifetime = Lifetime::until_told;
  return action;
}

ActionDef peer() {
  ActionDef action;
  action.name = "peer";
  action.summary = "talk without a server";
  action.description =
      "Each line of standard input goes as it is to every peer; what arrives is printed. /to "
      "HOST:PORT changes the peer, /peers lists, //x says /x. After the end of input it ends "
      "within --wait; without any input it listens until it is told to end.";
  action.arguments = {{.name = "PEER",
                       .kind = Kind::address,
                       .optional = true,
                       .repeatable = true,
                       .help = "whom to talk to"}};
  action.common = kOutputOptions | kServerOptions | kWaitOption;
  action.options = {
      {.name = "bind",
       .kind = Kind::listen_address,
       .default_value = "127.0.0.1:8080",
       .help = "the address to listen on and to send from"},
      history_option("append both directions to this file"),
      {.name = "wait", .default_value = "1s", .help = "how long to listen after the end of input"}};
  action.records = {{.type = "message", .help = "something came", .layout = "{peer} {text}"}};
  action.totals = {{"received", "datagrams that came"},
                   {"sent", "datagrams that were sent"},
                   kUnsendableTotal,
                   kKernelDropsTotal,
                   kHistoryLostTotal};
  action.make = new_command<PeerCommand>;
  action.examples = {
      {"netkit chat peer 192.168.1.20:8080 --bind :8080", "talk to one machine"},
      {"netkit chat peer 127.0.0.1:9001 127.0.0.1:9002 --bind 9000", "talk to two"},
      {"netkit chat peer 127.0.0.1:9001 --bind 9000 --history talk.log", "and remember it"},
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
