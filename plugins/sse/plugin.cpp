// What `netkit sse` offers.
#include <chrono>
#include <sse/bench_command.hpp>
#include <sse/proxy_command.hpp>
#include <sse/serve_command.hpp>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/plugin/bench_rows.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/store/options.hpp>

#ifdef NETKIT_STATIC_PLUGINS
extern "C" netkit::Command* netkit_part_sse_reader();
#endif

namespace netkit::sse {
namespace {

using Kind = ValueKind;

// Longer ones do not fit a browser's timer, which counts milliseconds in 31 bits.
constexpr auto kLongestRetry = std::chrono::hours(576);

// What curl calls -k, too.
std::vector<OptionDef> tls_definitions() {
  std::vector<OptionDef> options = tls_client_options();
  options.back().letter = 'k';
  return options;
}

std::vector<OptionDef> request_definitions() {
  return {{.name = "header",
           .letter = 'H',
           .kind = Kind::text,
           .value_name = "'NAME: VALUE'",
           .help = "a request header",
           .repeatable = true},
          {.name = "request",
           .letter = 'X',
           .kind = Kind::text,
           .value_name = "METHOD",
           .help = "the method; by default GET, or POST with a body"},
          {.name = "data",
           .letter = 'd',
           .kind = Kind::text,
           .value_name = "D|@FILE",
           .help = "the request body, or the file to read it from; @- is stdin"},
          {.name = "json-body",
           .kind = Kind::text,
           .value_name = "D|@FILE",
           .help = "the same, with the type application/json",
           .excludes = {"data"}},
          {.name = "user",
           .letter = 'u',
           .kind = Kind::login,
           .help = "log in",
           .needs = {"password-file"},
           .excludes = {"bearer-file"}},
          {.name = "password-file",
           .kind = Kind::path,
           .help = "the file that holds the password of --user",
           .needs = {"user"}},
          {.name = "bearer-file", .kind = Kind::path, .help = "the file that holds a bearer token"},
          {.name = "netrc", .help = "take the login from ~/.netrc"}};
}

std::vector<OptionDef> way_definitions() {
  return {{.name = "proxy",
           .kind = Kind::url,
           .help = "the proxy to use instead of the one set in the environment"},
          {.name = "unix-socket", .kind = Kind::path, .help = "connect to this socket"}};
}

std::vector<OptionDef> stream_definitions() {
  return {{.name = "event",
           .letter = 'e',
           .kind = Kind::text,
           .value_name = "TYPE",
           .help = "print only events of this type",
           .repeatable = true},
          {.name = "last-event-id",
           .kind = Kind::text,
           .value_name = "ID",
           .help = "start after the event with this id"},
          {.name = "state",
           .kind = Kind::path,
           .help = "store the last id in this file, and start after it"},
          {.name = "retry",
           .kind = Kind::duration,
           .default_value = "1s",
           .help = "the reconnection time until the server sets another"},
          {.name = "reconnect",
           .default_value = "forever",
           .help = "how many times in a row to retry; never if the method is not GET or HEAD"},
          {.name = "select",
           .kind = Kind::text,
           .value_name = "POINTER",
           .help = "print this part of the JSON data (/choices/0/delta/content)",
           .repeatable = true},
          {.name = "join", .help = "print events without a newline between them"},
          {.name = "done",
           .kind = Kind::text,
           .value_name = "TEXT",
           .help = "exit before the event whose data is exactly this text"},
          {.name = "record",
           .kind = Kind::path,
           .help = "record every byte with its time in this file, for serve --replay"},
          {.name = "any-type", .help = "read the response as a stream whatever its media type"},
          {.name = "comments", .help = "also print comments"},
          {.name = "max-event",
           .kind = Kind::size,
           .default_value = "16M",
           .help = "limit for an event, and for a line",
           .min = 1},
          {.name = "idle-timeout",
           .default_value = "none",
           .help = "reconnect after D without any data, even a comment",
           .min = 1},
          {.name = "until",
           .kind = Kind::regex,
           .help = "exit after the first event whose data matches"}};
}

// libcurl comes with it.
std::unique_ptr<Command> new_reader() {
#ifdef NETKIT_STATIC_PLUGINS
  return std::unique_ptr<Command>(netkit_part_sse_reader());
#else
  return load_part(reinterpret_cast<const void*>(&new_reader), "sse_reader");
#endif
}

ActionDef read_action() {
  ActionDef action{.name = "read", .summary = "print the events of one or more streams"};
  action.description =
      "Reads the event streams of all URLs and prints the data of their events. A stream that is "
      "lost is resumed after the last event received. It runs until it is stopped, until the "
      "server ends it with 204, or until a response is not an event stream.";
  action.arguments = {
      {.name = "URL", .kind = Kind::url, .repeatable = true, .help = "http:// or https://"}};
  action.common = kOutputOptions | kReconnectOptions | kCountOption | kConnectTimeoutOption |
                  kIdleTimeoutOption | kClientOptions;
  action.options =
      joined({request_definitions(), tls_definitions(), way_definitions(), stream_definitions()});
  RecordDef event{.type = "event", .help = "an event"};
  event.fields = {{"event", "its type; message where the stream names none"},
                  {"id", "the last event id as of this event; may be empty"},
                  {"url", "the URL it came from, as given"}};
  event.payload_name = "data";
  RecordDef comment{.type = "comment", .help = "a comment, with --comments"};
  comment.fields = {{"url", "the URL it came from, as given"}};
  comment.layout = ": {text}";
  action.records = {event, comment};
  action.totals = {
      {"events", "events printed"},
      {"filtered", "events of other types than --event"},
      {"unselected", "events that lack what --select names"},
      {"comments", "comments received"},
      {"unfinished", "events cut off by the end of the stream"},
      {"bytes", "bytes received", TotalKind::counter, TotalUnit::bytes},
      kConnectionsTotal,
      {"reconnects", "reconnections after a stream was lost"},
      {"open", "open streams", kGauge},
      {"reads", "reads that contained events"},
      {"first_event_ms", "time from the request to the first event", kGauge,
       TotalUnit::milliseconds},
      {"gap_p50_ms", "median time between two events", kGauge, TotalUnit::milliseconds},
      {"gap_p99_ms", "the same, 99th percentile", kGauge, TotalUnit::milliseconds},
      {"gap_max_ms", "the longest time between two events", kGauge, TotalUnit::milliseconds},
      {"event_rate", "events a second", kGauge, TotalUnit::per_second}};
  action.make = new_reader;
  action.examples = {
      {"netkit sse https://example.org/events", "print the data of each event"},
      {"netkit sse https://example.org/events --json | jq .data", "in a script"},
      {"netkit sse https://example.org/events --to broadcast:192.168.8.255:5000",
       "relay the events"},
      {"netkit sse https://example.org/events --state ~/.events.id", "resume where it ended"},
      {"netkit sse https://example.org/job/7 --until '\"done\"' --timeout 10m", "wait for a job"}};
  action.lifetime = Lifetime::until_told;
  // An answer to data that is sent has an end.
  action.bounded_by = {"count", "until", "done", "data", "json-body"};
  action.may_be_omitted = true;
  return action;
}

std::vector<OptionDef> serve_definitions() {
  return {
      {.name = "event",
       .letter = 'e',
       .kind = Kind::text,
       .value_name = "TYPE",
       .help = "the event type; message unless given"},
      {.name = "keep",
       .kind = Kind::integer,
       .default_value = "1000",
       .help = "events to keep for readers that come back",
       .max = 100'000'000},
      {.name = "keep-bytes",
       .kind = Kind::size,
       .default_value = "64M",
       .help = "memory limit for the kept events"},
      {.name = "last",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "kept events to send to a reader that connects without an id"},
      {.name = "keepalive",
       .kind = Kind::duration,
       .default_value = "15s",
       .help = "send a comment if there was no event for D",
       .min = 1},
      {.name = "cors",
       .kind = Kind::text,
       .value_name = "ORIGIN",
       .help = "let pages of this origin read the stream, or * for all",
       .repeatable = true},
      {.name = "credentials", .help = "let those pages send cookies and logins", .needs = {"cors"}},
      {.name = "host",
       .kind = Kind::text,
       .value_name = "NAME",
       .help = "accept requests under this host name as well",
       .repeatable = true},
      {.name = "retry",
       .kind = Kind::duration,
       .help = "tell readers how long to wait before they reconnect",
       .max = Duration(kLongestRetry).count()}};
}

// A hub that can be written to.
std::vector<OptionDef> hub_definitions() {
  return {{.name = "channels", .help = "each path is a separate stream; the sources feed /"},
          {.name = "max-channels",
           .kind = Kind::integer,
           .default_value = "1000",
           .help = "limit of the number of streams",
           .min = 1},
          {.name = "write-token-file",
           .kind = Kind::path,
           .help = "let clients with the token in this file publish by POST"},
          {.name = "max-event",
           .kind = Kind::size,
           .default_value = "1M",
           .help = "limit for the body of a POST",
           .min = 1},
          {.name = "read-token-file",
           .kind = Kind::path,
           .help = "require readers to send the token in this file"}};
}

// What a recording holds instead, and what goes wrong on purpose.
std::vector<OptionDef> replay_definitions() {
  return {
      {.name = "replay",
       .kind = Kind::path,
       .help = "serve the responses that --record wrote to this file",
       .excludes = {"from", "every", "channels", "write-token-file", "read-token-file", "store"}},
      {.name = "speed",
       .kind = Kind::number,
       .value_name = "X",
       .default_value = "1",
       .help = "replay X times as fast; 0: without delays"},
      {.name = "fault",
       .kind = Kind::text,
       .value_name = "split=BYTES|stall=EVENTS|drop=EVENTS|status=CODE|retry=D",
       .help = "misbehave on purpose, to test clients",
       .repeatable = true}};
}

OptionDef request_timeout_option(std::string_view limit) {
  return {.name = "request-timeout",
          .kind = Kind::duration,
          .default_value = limit,
          .help = "time limit for the TLS handshake and for a request",
          .min = 1};
}

constexpr TotalDef kRequestTimeoutsTotal{"request_timeouts",
                                         "connections closed after --request-timeout"};

// What one connection may do.
std::vector<OptionDef> connection_definitions() {
  return {request_timeout_option("10s"),
          max_queue_option(
              "limit of the data queued for one reader; then it is served from the kept events")};
}

std::vector<TotalDef> event_totals() {
  return {{"readers", "current readers", kGauge},
          {"channels", "paths that are streams", kGauge},
          {"events", "events published"},
          {"delivered", "events sent, counted for each reader"},
          {"replayed", "of those, kept events that a reader had missed"},
          {"lost", "events lost to a reader"},
          {"slow", "times a reader was too slow for --max-queue"},
          {"unauthorized", "requests without the required token"}};
}

std::vector<TotalDef> request_totals() {
  return {{"requests", "requests received"},
          {"streams", "streams started"},
          {"bad_requests", "malformed requests"},
          kRequestTimeoutsTotal,
          {"kept", "events kept", kGauge}};
}

ActionDef serve_action() {
  ActionDef action{.name = "serve", .summary = "serve records as an event stream"};
  action.description =
      "Every record of the sources, by default every line of stdin, becomes an event with an id. "
      "Readers that come back with a Last-Event-ID get what they missed. GET / is a page that "
      "shows the stream in a browser; every other path is the stream. It runs until it is stopped.";
  action.arguments = {{.name = "ADDRESS",
                       .kind = Kind::listen_address,
                       .default_value = "127.0.0.1:8000",
                       .optional = true,
                       .help = "where to listen"}};
  action.common = kOutputOptions | kSourceOptions | kServerOptions | kReconnectOptions;
  action.options =
      joined({serve_definitions(), hub_definitions(), store::options(), replay_definitions(),
              tls_server_options(), connection_definitions(), tcp_client_limits("65536")});
  action.totals = joined({event_totals(), tcp_client_totals(), request_totals(), store::totals()});
  action.make = new_command<ServeCommand>;
  action.examples = {{"netkit sse serve :8000 --every 1s", "the time, every second"},
                     {"tail -f log | netkit sse serve :8000", "a log, for browsers"}};
  action.lifetime = Lifetime::until_told;
  return action;
}

// How a client verifies its server.
std::vector<OptionDef> trust_definitions() {
  OptionDef insecure = insecure_option();
  insecure.letter = 'k';
  return {cacert_option(), insecure};
}

ActionDef proxy_action() {
  ActionDef action{.name = "proxy", .summary = "forward streams, and print their events"};
  action.description =
      "Forwards every request to URL, with its path and query appended to those of URL, and "
      "returns "
      "the response byte for byte; only Host is replaced by that of URL. The events in the "
      "responses are printed. It runs until it is stopped.";
  action.arguments = {{.name = "LISTEN", .kind = Kind::listen_address, .help = "where to listen"},
                      {.name = "URL", .kind = Kind::url, .help = "where to forward requests to"}};
  action.common = kOutputOptions | kServerOptions | kConnectTimeoutOption | kClientOptions;
  action.options =
      joined({{{.name = "record",
                .kind = Kind::path,
                .help = "record every byte of the responses with its time, for serve --replay"},
               {.name = "host",
                .kind = Kind::text,
                .value_name = "NAME",
                .help = "accept requests under this host name as well",
                .repeatable = true},
               {.name = "max-event",
                .kind = Kind::size,
                .default_value = "16M",
                .help = "limit for an event to be printed",
                .min = 1},
               request_timeout_option("1m")},
              tcp_client_limits("65536"),
              tls_server_options(),
              trust_definitions()});
  RecordDef event{.type = "event", .help = "an event"};
  event.fields = {{"event", "its type; message where the stream names none"},
                  {"id", "the last event id as of this event; may be empty"},
                  {"url", "the path it came from"}};
  event.payload_name = "data";
  action.records = {event};
  action.totals =
      joined<TotalDef>({{{"requests", "requests forwarded"},
                         {"events", "events received"},
                         {"bytes", "bytes of responses", TotalKind::counter, TotalUnit::bytes},
                         {"failed", "requests that could not be forwarded"},
                         kRequestTimeoutsTotal},
                        tcp_client_totals(),
                        {{"clients", "current connections", kGauge}}});
  action.make = new_command<ProxyCommand>;
  action.examples = {{"netkit sse proxy 8001 https://api.example/", "watch an API's streams"},
                     {"netkit sse proxy 8001 8000 --record day.rec", "record them"}};
  action.lifetime = Lifetime::until_told;
  action.quiet_hides_records = true;
  return action;
}

std::vector<TotalDef> bench_totals() {
  const auto ms = [](std::string_view name, std::string_view help) {
    return TotalDef{name, help, kGauge, TotalUnit::milliseconds};
  };
  return {{"readers", "open streams", kGauge},
          {"failed", "readers without a stream"},
          {"events", "events received by all readers"},
          {"bytes", "bytes received", TotalKind::counter, TotalUnit::bytes},
          {"event_rate", "events a second", kGauge, TotalUnit::per_second},
          ms("connect_p50_ms", "median time to connect"),
          ms("connect_max_ms", "the longest"),
          ms("first_p50_ms", "median time from the start of a reader to its first event"),
          ms("first_max_ms", "the longest"),
          ms("gap_p50_ms", "median time between two events of a reader"),
          ms("gap_p99_ms", "the same, 99th percentile"),
          ms("gap_max_ms", "the longest"),
          ms("lag_p50_ms", "median delay of an event behind the fastest reader"),
          ms("lag_p99_ms", "the same, 99th percentile"),
          ms("lag_max_ms", "the longest"),
          {"lost_percent", "percentage of the best reader's events that the others missed", kGauge,
           TotalUnit::percent}};
}

std::vector<RecordDef> bench_records() {
  return {{.type = "interval",
           .help = "with --stats=D: the results of one interval",
           .fields = {kPartFrom,
                      kPartTo,
                      {"readers", "open streams at its end"},
                      {"events_per_s", "events a second, to all readers"},
                      {"bytes_per_s", "bytes a second"},
                      {"gap_p50_ms", "median time between two events of a reader"},
                      {"gap_p99_ms", "the same, 99th percentile"},
                      {"gap_max_ms", "the longest"},
                      {"lag_p50_ms", "median delay of an event behind the fastest reader"},
                      {"lag_p99_ms", "the same, 99th percentile"},
                      {"lag_max_ms", "the longest"}},
           .layout = ""}};
}

ActionDef bench_action() {
  ActionDef action{.name = "bench", .summary = "read one stream many times at once"};
  action.description =
      "Opens a stream of URL for each reader, and reports how long connecting took, when the first "
      "event arrived, the gaps between events, and how far the slowest reader was behind the "
      "fastest, by the ids of events.";
  action.arguments = {{.name = "URL", .kind = Kind::url, .help = "http:// or https://"}};
  action.common = kOutputOptions | kConnectTimeoutOption | kClientOptions;
  action.options = joined(
      {{{.name = "readers",
         .kind = Kind::integer,
         .default_value = "100",
         .help = "number of readers",
         .min = 1,
         .max = 1'000'000},
        {.name = "streams",
         .kind = Kind::integer,
         .help = "readers per connection, over HTTP/2; without it each has its own",
         .min = 1,
         .max = 10'000},
        {.name = "duration",
         .kind = Kind::duration,
         .default_value = "10s",
         .help = "how long to read",
         .min = 1},
        {.name = "max-first",
         .kind = Kind::duration,
         .help = "exit with 1 if a first event took longer"},
        {.name = "max-gap",
         .kind = Kind::duration,
         .help = "exit with 1 if a gap between two events was longer"},
        {.name = "max-lost",
         .kind = Kind::percent,
         .help = "exit with 1 if more of the best reader's events did not reach the others"}},
       trust_definitions()});
  action.totals = bench_totals();
  action.records = bench_records();
  action.has_summary = true;
  action.make = new_command<BenchCommand>;
  action.examples = {
      {"netkit sse bench 8000/events --readers 1000 --max-gap 2s", "a load test"},
      {"netkit sse bench https://localhost:8000/ --readers 1000 --streams 100", "by HTTP/2"}};
  return action;
}

std::vector<ActionDef> make_actions() {
  return {read_action(), serve_action(), proxy_action(), bench_action()};
}

}  // namespace

}  // namespace netkit::sse

NETKIT_PLUGIN(sse, "a Server-Sent-Events client that reconnects, and a small server",
              netkit::sse::make_actions)
