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

std::string table(std::size_t width, std::string_view head, std::initializer_list<Row> rows,
                  std::string_view foot = {}) {
  HelpText out(width);
  append_wrapped(out, head, 0);
  for (const Row& row : rows) append_row(out, row.left, row.right, kColumn);
  if (!foot.empty()) out += "\n";
  append_wrapped(out, foot, 0);
  return out.text();
}

std::string addresses(std::size_t width) {
  return table(width, "Addresses, of peers and of servers:",
               {{"HOST:PORT", "a name or an IPv4 address, and a port or the name of a service"},
                {"[V6]:PORT", "an IPv6 address"},
                {"[fe80::1%eth0]:PORT", "a link-local address with its interface"},
                {"HOST PORT", "the same as two words"},
                {"PORT", "loopback"},
                {":PORT", "for servers every interface, IPv4 and IPv6; for clients loopback"},
                {"ADDRESS,ADDRESS", "for clients that can fail over: tried in this order"}},
               "Port 0 takes a free port. A client without an address uses its server's default, "
               "so 'netkit echo serve' and 'netkit echo ping' find each other. If a name has "
               "several addresses, the next one is tried when one refuses. -4, -6 and --bind "
               "set the family and the source address of a client.");
}

std::string durations(std::size_t width) {
  return table(width, "Durations, sizes and rates:",
               {{"500ms 5s 2m 1.5h 1d", "a duration; also us and ns"},
                {"5", "a bare number means seconds"},
                {"none", "never"},
                {"1200 64k 1M 2G", "a size in bytes; k, M and G are powers of 1024"},
                {"100/s 6/m", "a rate; a bare number means per second"}});
}

std::string templates(std::size_t width) {
  return table(width, "Templates, of --template, --reply and --message:",
               {{"{text}", "the payload"},
                {"{name} {event} {id} {seq}", "fields of records that have them"},
                {"{peer} {ip} {port}", "the sender"},
                {"{time}", "RFC 3339 in UTC, 2026-11-20T15:12:29.123456Z"},
                {"{date}", "local, 2026-11-20 15:12:29"},
                {"{ctime}", "local, as ctime(3), Fri Nov 20 15:12:29 2026"},
                {"{host}", "the name of this machine"},
                {"\\n \\t \\r \\0 \\xHH \\\\", "escapes"},
                {"{{", "a brace; } stands for itself"}},
               "A field that a record does not have is empty. The help of an action lists the "
               "fields of its records. --template is for the first of these, and others of its "
               "kind; the rest keep their form.");
}

std::string sources(std::size_t width) {
  return table(width, "Sources, of --from; repeatable, and merged:",
               {{"-", "standard input, one record per line"},
                {"file:PATH", "a file, one record per line"},
                {"exec:COMMAND", "the output of a command, one record per line"},
                {"udp:ADDRESS", "datagrams sent to this port, one record each"},
                {"tcp:ADDRESS", "TCP connections of any number of writers, one record per line"},
                {"unix:PATH", "the same over a unix socket, which is created"},
                {"STORE/STREAM", "a stream of a store, such as sqlite:FILE/push; netkit-store(7)"}},
               "--every D makes a record every D, with the text --message T. Without a source, "
               "standard input is read if it is a pipe or a file.");
}

std::string sinks(std::size_t width) {
  return table(width, "Sinks, of --to; repeatable, and any of them replaces standard output:",
               {{"-", "standard output"},
                {"file:PATH", "append to a file"},
                {"udp:HOST:PORT", "one datagram per record"},
                {"broadcast:HOST:PORT", "the same, broadcast to a network"},
                {"multicast:GROUP:PORT", "the same, to a multicast group"},
                {"exec:COMMAND",
                 "one process per record: the text on its standard input, fields as NETKIT_*"},
                {"STORE/STREAM", "a stream of a store, such as sqlite:FILE/push; netkit-store(7)"},
                {"none", "nowhere"}},
               "A record that a sink cannot send, such as one too long for a datagram, is reported "
               "and counted, and the exit status is 74.");
}

std::string codecs(std::size_t width) {
  HelpText out(width);
  append_wrapped(out, "Named codecs, for --codec:", 0);
  for (const NamedCodec& codec : codec_names()) {
    std::string text = fmt::format("{}: {}", codec.protocol, codec.codec);
    if (!codec.more.empty()) text += fmt::format("; {}", codec.more);
    text += fmt::format("; body: {}", codec.body);
    append_row(out, codec.name, text, kColumn);
  }
  out += "\n";
  append_wrapped(out, "netkit-frame(1) describes how to write others.", 0);
  return out.text();
}

std::string common(std::size_t width) {
  HelpText out(width);
  append_wrapped(out, "Options that mean the same in every command that has them:", 0);
  for (const CommonOption& common : common_options()) append_option(out, common.option);
  return out.text();
}

std::string exit_status(std::size_t width) {
  HelpText out(width);
  out += "Exit status, the same in every command:\n";
  for (const ExitStatusInfo& info : exit_statuses()) {
    append_row(out, std::to_string(static_cast<int>(info.status)), info.meaning, 9);
  }
  append_row(out, "128+n", "ended by signal n", 9);
  return out.text();
}

}  // namespace

std::span<const HelpTopic> help_topics() {
  static constexpr HelpTopic kTopics[] = {
      {"addresses", "how addresses are written", addresses},
      {"durations", "how durations, sizes and rates are written", durations},
      {"templates", "fields of --template and --reply", templates},
      {"sources", "where records come from", sources},
      {"sinks", "where records go", sinks},
      {"common", "options that commands have in common", common},
      {"codecs", "codecs that have a name", codecs},
      {"exit-status", "exit statuses of all commands", exit_status},
  };
  return kTopics;
}

}  // namespace netkit
