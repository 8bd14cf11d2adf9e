#include "cli/option_set.hpp"

#include <vector>

namespace netkit {
namespace {

using Kind = ValueKind;

std::vector<CommonOption> output_options() {
  return {
      {kOutputOptions,
       {.name = "json", .help = "print JSON Lines, one object per record", .excludes = {"raw"}}},
      {kOutputOptions, {.name = "no-end", .help = "omit the end record of --json"}},
      {kOutputOptions,
       {.name = "raw", .help = "print payload bytes unchanged", .excludes = {"template"}}},
      {kOutputOptions,
       {.name = "escape",
        .kind = Kind::choice,
        .default_value = "always",
        .help = "show control characters in text as \\xhh: always, or never, for a program that "
                "reads a pipe",
        .choices = {"always", "never"}}},
      {kOutputOptions,
       {.name = "template",
        .kind = Kind::template_text,
        .help = "print main records, such as messages and replies, as T, e.g. "
                "'{time} {peer} {text}'"}},
      {kOutputOptions,
       {.name = "to",
        .kind = Kind::sink,
        .default_value = "-",
        .help = "where records go: -, file:PATH, udp:HOST:PORT, broadcast:HOST:PORT, "
                "multicast:GROUP:PORT, exec:COMMAND, STORE/STREAM or none",
        .repeatable = true}},
      {kOutputOptions,
       {.name = "max-exec",
        .kind = Kind::integer,
        .default_value = "8",
        .help = "commands of an exec: sink that may run at once",
        .min = 1,
        .max = 10'000}},
      {kOutputOptions,
       {.name = "max-exec-waiting",
        .kind = Kind::integer,
        .default_value = "1000",
        .help = "records that may wait for a command of an exec: sink; others are dropped",
        .min = 0,
        .max = 1'000'000}},
  };
}

std::vector<CommonOption> source_options() {
  return {
      {kSourceOptions,
       {.name = "from",
        .kind = Kind::source,
        .help =
            "where records come from: - (standard input), file:PATH, exec:COMMAND, udp:ADDRESS, "
            "tcp:ADDRESS, unix:PATH or STORE/STREAM",
        .repeatable = true}},
      {kSourceOptions, {.name = "every", .kind = Kind::duration, .help = "make a record every D"}},
      {kSourceOptions,
       {.name = "message",
        .kind = Kind::template_text,
        .default_value = "{date}",
        .help = "the text of the records that --every makes"}},
      {kSourceOptions,
       {.name = "max-line",
        .kind = Kind::size,
        .default_value = "1M",
        .help = "the longest line accepted from a source",
        .min = 1}},
  };
}

std::vector<CommonOption> time_options() {
  return {
      {kCountOption,
       {.name = "count", .letter = 'c', .kind = Kind::integer, .help = "stop after N", .min = 1}},
      {kIntervalOption,
       {.name = "interval",
        .letter = 'i',
        .kind = Kind::duration,
        .help = "time between messages"}},
      {kWaitOption,
       {.name = "wait",
        .letter = 'w',
        .kind = Kind::duration,
        .help = "how long to wait for an answer"}},
      {kConnectTimeoutOption,
       {.name = "connect-timeout",
        .kind = Kind::duration,
        .default_value = "10s",
        .help = "time limit for connecting"}},
      {kIdleTimeoutOption,
       {.name = "idle-timeout",
        .kind = Kind::duration,
        .help = "close a connection that has been idle this long"}},
      {kReconnectOptions,
       {.name = "reconnect",
        .kind = Kind::count_or_word,
        .value_name = "never|N|forever",
        .default_value = "never",
        .help = "how many times in a row to retry after a connection is lost",
        .choices = {"never", "forever"}}},
      {kReconnectOptions,
       {.name = "reconnect-max",
        .kind = Kind::duration,
        .default_value = "30s",
        .help = "the longest delay between attempts"}},
  };
}

std::vector<CommonOption> client_options() {
  return {
      {kClientOptions,
       {.name = "ipv4", .letter = '4', .help = "use IPv4 only", .excludes = {"ipv6"}}},
      {kClientOptions, {.name = "ipv6", .letter = '6', .help = "use IPv6 only"}},
      {kClientOptions,
       {.name = "bind",
        .kind = Kind::source_address,
        .help = "send from this address of this machine, from this port (:PORT), or both"}},
  };
}

std::vector<CommonOption> server_options() {
  return {
      {kServerOptions,
       {.name = "ready-fd",
        .kind = Kind::integer,
        .help = "write the listening lines to file descriptor N as well, then close it",
        .min = 1,
        .max = INT32_MAX}},
      {kServerOptions,
       {.name = "sandbox",
        .kind = Kind::choice,
        .default_value = "auto",
        .help =
            "give up what a server does not need: as far as the kernel can, or end if it cannot",
        .choices = {"auto", "require", "off"}}},
      {kServerOptions | kMetricsOption,
       {.name = "metrics",
        .kind = Kind::listen_address,
        .help = "serve the totals there in the Prometheus text format"}},
  };
}

std::vector<CommonOption> every_action() {
  return {
      {kNoCommon,
       {.name = "timeout",
        .letter = 't',
        .kind = Kind::duration,
        .help = "end the whole run after D, with status 124"}},
      {kNoCommon,
       {.name = "stats",
        .kind = Kind::optional_duration,
        .help = "print totals at the end; with =D also every D, with rates"}},
      {kNoCommon,
       {.name = "quiet",
        .letter = 'q',
        .help = "print errors only, and where a server listens",
        .excludes = {"verbose"}}},
      {kNoCommon,
       {.name = "verbose",
        .letter = 'v',
        .help = "print more: connections, -vv protocol, -vvv bytes",
        .repeatable = true}},
      {kNoCommon,
       {.name = "color",
        .kind = Kind::choice,
        .default_value = "auto",
        .help = "colour in text output",
        .choices = {"auto", "always", "never"}}},
      {kNoCommon,
       {.name = "config",
        .kind = Kind::path,
        .help = "read this configuration file instead of the usual ones",
        .no_environment = true}},
      {kNoCommon,
       {.name = "help",
        .letter = 'h',
        .help = "show help and exit; -h is the short form",
        .no_environment = true}},
  };
}

std::vector<CommonOption> make_table() {
  std::vector<CommonOption> table;
  for (const auto& part : {output_options(), source_options(), time_options(), client_options(),
                           server_options(), every_action()}) {
    table.insert(table.end(), part.begin(), part.end());
  }
  return table;
}

}  // namespace

std::span<const CommonOption> common_options() {
  static const std::vector<CommonOption> table = make_table();
  return table;
}

}  // namespace netkit
