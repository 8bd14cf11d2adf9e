// What is the same in every command, by topic.
#include "cli/help.hpp"
#include "cli/option_set.hpp"

#include <fmt/format.h>

#include <netkit/codec/codec_spec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::size_t kColumn = 26;

struct Row {
  std::string_view left;
  std::string_view right;
};

std::string table(std::string_view head, std::initializer_list<Row> rows,
                  std::string_view foot = {}) {
  std::string out;
  append_wrapped(out, head, 0);
  for (const Row& row : rows) append_row(out, row.left, row.right, kColumn);
  if (!foot.empty()) out += "\n";
  append_wrapped(out, foot, 0);
  return out;
}

std::string addresses() {
  return table("Addresses, of peers and of servers:",
               {{"HOST:PORT", "a name or an IPv4 address, and a port or the name of a service"},
                {"[V6]:PORT", "an IPv6 address"},
                {"[fe80::1%eth0]:PORT", "a link-local one, which needs its interface"},
                {"HOST PORT", "the same as two words"},
                {"PORT", "loopback"},
                {":PORT", "of a server every interface, IPv4 and IPv6; of a peer loopback"}},
               "Port 0 takes a free port. A client without an address uses its server's default, "
               "so 'netkit echo serve' and 'netkit echo ping' find each other. Where a name has "
               "several addresses, the next is tried when one refuses.");
}

std::string durations() {
  return table("Durations, sizes and rates:",
               {{"500ms 5s 2m 1.5h 1d", "a duration; also us and ns"},
                {"5", "a bare number is seconds"},
                {"none", "never"},
                {"1200 64k 1M 2G", "a size in bytes, in powers of 1024"},
                {"100/s 6/m", "a rate; a bare number is per second"}});
}

std::string templates() {
  return table(
      "Templates, of --template, --reply and --message:",
      {{"{text}", "the payload"},
       {"{name} {event} {id} {seq}", "fields of records that have them"},
       {"{peer} {ip} {port}", "who sent it"},
       {"{time}", "RFC 3339 in UTC, 2026-11-20T15:12:29.123456Z"},
       {"{date}", "local, 2026-11-20 15:12:29"},
       {"{ctime}", "local, as ctime(3), Fri Nov 20 15:12:29 2026"},
       {"{host}", "the name of this machine"},
       {"\\n \\t \\r \\0 \\xHH \\\\", "escapes"},
       {"{{", "a brace; } is itself"}},
      "A field that a record lacks is empty. The fields that an action's records have are in its "
      "help.");
}

std::string sources() {
  return table("Sources, of --from; repeatable, and merged:",
               {{"-", "standard input, a record a line"},
                {"file:PATH", "a file, a record a line"},
                {"exec:COMMAND", "what a command prints, a record a line"},
                {"udp:ADDRESS", "what is sent to this port, a record a datagram"},
                {"tcp:ADDRESS", "the same by TCP, a record a line, from any number of writers"},
                {"unix:PATH", "the same by a unix socket, which is made there"}},
               "--every D makes a record every D, whose text is --message T. Where no source is "
               "named, standard input is read if it is a pipe or a file.");
}

std::string sinks() {
  return table(
      "Sinks, of --to; repeatable, and any of them replaces standard output:",
      {{"-", "standard output"},
       {"file:PATH", "append to a file"},
       {"udp:HOST:PORT", "a datagram a record"},
       {"broadcast:HOST:PORT", "the same to a whole network"},
       {"multicast:GROUP:PORT", "the same to a group"},
       {"exec:COMMAND", "a process a record: the text on its standard input, fields as NETKIT_*"},
       {"none", "nowhere"}},
      "A record that a sink cannot take, such as one too long for a datagram, is "
      "reported and counted, and makes the exit status 74.");
}

std::string codecs() {
  std::string out;
  append_wrapped(out, "Codecs that have a name, for --codec:", 0);
  for (const NamedCodec& codec : codec_names()) {
    std::string text = fmt::format("{}: {}", codec.protocol, codec.codec);
    for (const std::string_view more : {codec.more, codec.body}) {
      if (!more.empty()) text += fmt::format("; {}", more);
    }
    append_row(out, codec.name, text, kColumn);
  }
  out += "\n";
  append_wrapped(out, "netkit-frame(1) has the grammar of all others.", 0);
  return out;
}

std::string common() {
  std::string out;
  append_wrapped(out, "Options that mean the same in every command that lists them:", 0);
  for (const CommonOption& common : common_options()) append_option(out, common.option);
  return out;
}

std::string exit_status() {
  std::string out = "Exit status, the same in every command:\n";
  for (const ExitStatusInfo& info : exit_statuses()) {
    append_row(out, std::to_string(static_cast<int>(info.status)), info.meaning, 9);
  }
  append_row(out, "128+n", "ended by signal n", 9);
  return out;
}

}  // namespace

std::span<const HelpTopic> help_topics() {
  static constexpr HelpTopic kTopics[] = {
      {"addresses", "how addresses are written", addresses},
      {"durations", "how durations, sizes and rates are written", durations},
      {"templates", "what --template and --reply may hold", templates},
      {"sources", "where records come from", sources},
      {"sinks", "where records go", sinks},
      {"common", "the options that every command has", common},
      {"codecs", "the codecs that have a name", codecs},
      {"exit-status", "what commands exit with", exit_status},
  };
  return kTopics;
}

}  // namespace netkit
