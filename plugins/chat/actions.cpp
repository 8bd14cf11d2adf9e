#include <chat/actions.hpp>

namespace netkit::chat {

namespace {

using Kind = ValueKind;

std::vector<RecordDef> room_records() {
  return {{.type = "message",
           .help = "somebody said something",
           .fields = {{"name", "who said it"},
                      {"seq", "its number in the room, from 1; private ones have none"},
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
                      {"reason", "quit, lease (not heard from for --lease), or reset"}},
           .layout = "* {name} left ({reason})",
           .payload_name = {},
           .colored_field = "name"},
          {.type = "renamed",
           .help = "somebody took another name",
           .fields = {{"from", "the name before"}, {"name", "the name now"}},
           .layout = "* {from} is now {name}",
           .payload_name = {},
           .colored_field = "name"}};
}

std::vector<OptionDef> serve_options() {
  return {{.name = "lease",
           .kind = Kind::duration,
           .default_value = "15s",
           .help = "silence after which a member is given up"},
          {.name = "template",
           .kind = Kind::template_text,
           .default_value = "[{name}] {text}\\n",
           .help = "what plain members get for each message"},
          {.name = "plain",
           .kind = Kind::choice,
           .default_value = "local",
           .help = "who may be a plain member: those on networks of this machine, all or none",
           .choices = {"local", "all", "none"}},
          {.name = "history", .kind = Kind::path, .help = "append what happens to this file"},
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
          {.name = "rate",
           .kind = Kind::rate,
           .default_value = "1000/s",
           .help = "messages that are taken from one member"},
          {.name = "motd", .kind = Kind::text, .help = "said to every native newcomer"}};
}

ActionDef serve() {
  ActionDef action;
  action.name = "serve";
  action.summary = "open a room";
  action.description =
      "Members speak the native dialect (netkit chat join) or the plain one: any program that "
      "sends text by UDP takes part. Prints what is said and who comes and goes; -q prints "
      "nothing.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::address,
                       .default_value = "127.0.0.1:9998",
                       .optional = true,
                       .help = "where to listen; :PORT is every interface"}};
  action.common = kOutputOptions | kServerOptions;
  action.options = serve_options();
  action.records = room_records();
  action.examples = {
      {"netkit chat serve", "a room on 127.0.0.1:9998"},
      {"netkit chat serve :9998 --motd 'be kind'", "for the whole network, with a greeting"},
      {"netkit chat serve 9998 --template 'ack: {text}'", "what plain members get"},
      {"netkit chat serve 9998 -q --history room.log", "silent, with a log"},
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
           .help = "the name in the room; $USER without it"},
          {.name = "heartbeat",
           .kind = Kind::duration,
           .default_value = "5s",
           .help = "how often to give a sign of life"},
          {.name = "since",
           .kind = Kind::count_or_word,
           .value_name = "N|all",
           .help = "hear what was said before, from message N on or as far back as is kept",
           .choices = {"all"}},
          {.name = "plain", .help = "speak the plain dialect"},
          {.name = "history", .kind = Kind::path, .help = "append what is said to this file"},
          {.name = "commands", .help = "obey /commands in piped lines, too"},
          {.name = "wait",
           .letter = 'w',
           .kind = Kind::duration,
           .default_value = "10s",
           .help = "at the end of input, how long to wait for the room to take what was said"},
          {.name = "connect-timeout",
           .kind = Kind::duration,
           .default_value = "10s",
           .help = "how long one try to join may take"},
          {.name = "reconnect",
           .kind = Kind::count_or_word,
           .value_name = "never|N|forever",
           .default_value = "forever",
           .help = "how many times in a row to try again when the room cannot be reached",
           .choices = {"never", "forever"}},
          {.name = "count",
           .letter = 'c',
           .kind = Kind::integer,
           .help = "end after N messages of others; the end of input then ends nothing",
           .min = 1}};
}

ActionDef join() {
  ActionDef action;
  action.name = "join";
  action.summary = "take part in a room";
  action.description =
      "At a terminal: a prompt with /who /nick /msg /me /ignore /quit /help. Otherwise each line "
      "of standard input is said as it is, and the end of input says goodbye. What was said while "
      "the room could not be reached is said as soon as it can.";
  action.arguments = {{.name = "ADDRESS", .kind = Kind::address, .help = "the room"}};
  action.common =
      kOutputOptions | kReconnectOptions | kWaitOption | kConnectTimeoutOption | kCountOption;
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
       .kind = Kind::address,
       .default_value = "127.0.0.1:8080",
       .help = "the address to listen on and to send from"},
      {.name = "history", .kind = Kind::path, .help = "append both directions to this file"},
      {.name = "wait",
       .letter = 'w',
       .kind = Kind::duration,
       .default_value = "1s",
       .help = "how long to listen after the end of input"}};
  action.records = {{.type = "message", .help = "something came", .layout = "{peer} {text}"}};
  action.examples = {
      {"netkit chat peer 192.168.1.20:8080 --bind :8080", "talk to one machine"},
      {"netkit chat peer 127.0.0.1:9001 127.0.0.1:9002 --bind 9000", "talk to two"},
      {"netkit chat peer 127.0.0.1:9001 --bind 9000 --history talk.log", "and remember it"},
  };
  action.lifetime = Lifetime::until_told;
  return action;
}

}  // namespace

std::vector<ActionDef> make_actions() {
  return {serve(), join(), peer()};
}

}  // namespace netkit::chat
