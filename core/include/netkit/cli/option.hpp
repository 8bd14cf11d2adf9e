// Declarations of what a command line may contain. An option is declared once, here or in a plugin:
// parsing, help, completion, environment, configuration file and the check of its man page come
// from the declaration.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <netkit/record/record.hpp>
#include <netkit/record/totals.hpp>

namespace netkit {

class Command;  // plugin/plugin.hpp

enum class ValueKind : std::uint8_t {
  flag,  // no value; counts how often it is given
  text,
  integer,            // with min and max
  number,             // decimal, with min and max
  percent,            // `5`, `5%`, `0.5%`: in per cent
  duration,           // `500ms 5s 2m 1.5h none`, a bare number is seconds
  optional_duration,  // `--stats` or `--stats=5s`
  size,               // `64k 1M`
  rate,               // `100/s`
  address,            // of a peer, as AddressSpec reads it
  addresses,          // of peers, `ADDRESS,ADDRESS`
  listen_address,     // of a server: `:PORT` is every interface
  source_address,     // of a client, as read_sources() reads it
  stream,             // the three, and `udp:ADDRESS unix:PATH serial:DEVICE,SETTINGS` as well
  streams,
  listen_stream,
  interface,
  ip,
  cidr,
  path,
  template_text,
  source,   // - file:PATH exec:COMMAND udp:ADDRESS tcp:ADDRESS unix:PATH
  sink,     // - none file:PATH udp:H:P broadcast:H:P multicast:G:P exec:COMMAND
  command,  // for sh -c
  regex,
  url,
  login,          // a name to log in by, without its password
  choice,         // one of `choices`
  count_or_word,  // a whole number or one of `choices`, e.g. --reconnect never|N|forever
};

struct OptionDef {
  std::string_view name;  // without dashes
  char letter = 0;
  ValueKind kind = ValueKind::flag;
  std::string_view value_name{};     // `D`; empty: the kind's usual one
  std::string_view default_value{};  // as it would be typed; empty: none
  std::string_view help{};           // one sentence without full stop, lower case
  bool repeatable = false;
  std::vector<std::string_view> choices{};  // an empty one: `--web` or `--web=VALUE`
  // The smallest and the largest value: of sizes in bytes, of durations in nanoseconds.
  std::int64_t min = 0;
  std::int64_t max = INT64_MAX;
  bool no_environment = false;               // only on the command line
  std::vector<std::string_view> needs{};     // options that must be given as well
  std::vector<std::string_view> excludes{};  // options that must not be; either of the two says so
};

// Read by its name with Values::text() and the like. An address is one word, or two: `HOST PORT`.
struct ArgumentDef {
  std::string_view name;  // in capitals: `ADDRESS`
  ValueKind kind = ValueKind::text;
  std::string_view default_value{};  // as it would be typed; empty: none
  bool optional = false;
  bool repeatable = false;
  std::string_view help{};
};

struct ExampleDef {
  std::string_view command;  // as typed, `netkit echo serve :7`
  std::string_view help;     // what it does
};

// Options that mean the same everywhere; an action lists the groups that fit it. All actions have
// --help -h --quiet -q --verbose -v --timeout -t --color --stats and --config.
enum CommonOptions : std::uint32_t {
  kNoCommon = 0,
  kOutputOptions = 1u << 0,         // --json --raw --template --to
  kSourceOptions = 1u << 1,         // --from --every --message --max-line
  kServerOptions = 1u << 2,         // --ready-fd --sandbox --metrics
  kReconnectOptions = 1u << 3,      // --reconnect --reconnect-max
  kCountOption = 1u << 4,           // --count -c
  kIntervalOption = 1u << 5,        // --interval -i
  kWaitOption = 1u << 6,            // --wait -w
  kConnectTimeoutOption = 1u << 7,  // --connect-timeout
  kIdleTimeoutOption = 1u << 8,     // --idle-timeout
  kClientOptions = 1u << 10,        // -4 -6 --bind
  kMetricsOption = 1u << 11,        // --metrics, for actions that are not servers
  kHelpOnly = 1u << 9,              // of the options of all actions only --help: built-in commands
};

enum class Lifetime : std::uint8_t {
  until_told,  // INT and TERM are its normal end: exit 0
  bounded,     // a job: INT and TERM cut it short: 128+n
};

// An action of a command. Its texts appear in help unchanged.
struct ActionDef {
  std::string_view name;           // `serve`
  std::string_view summary;        // one line
  std::string_view description{};  // a paragraph or more, wrapped by the help
  std::vector<ArgumentDef> arguments{};
  std::uint32_t common = kNoCommon;  // CommonOptions or-ed
  std::vector<OptionDef>
      options{};  // one with a common option's name replaces it (another default or help)
  std::vector<RecordDef> records{};
  std::vector<TotalDef> totals{};
  std::vector<ExampleDef> examples{};
  Lifetime lifetime = Lifetime::bounded;
  // Options of a bounded action, any of which makes it until_told.
  std::vector<std::string_view> until_told_by{};
  // Options, any of which makes it bounded whatever else is given.
  std::vector<std::string_view> bounded_by{};
  // Lines of its input may name files, so --sandbox does not limit what it reads.
  bool opens_any_file = false;
  bool may_be_omitted = false;  // `netkit sse URL` is `netkit sse read URL`
  // With -q standard output gets no records: for servers, whose records report what they do. The
  // sinks of --to still get them.
  bool quiet_hides_records = false;
  // Prints a summary of its own at the end, which the totals on stderr would only repeat.
  bool has_summary = false;
  // Creates a run of the action: new_command<T>. Empty for built-in commands.
  std::unique_ptr<Command> (*make)() = nullptr;
};

}  // namespace netkit
