// What `netkit sse` offers.
#include <chrono>
#include <sse/bench_command.hpp>
#include <sse/proxy_command.hpp>
#include <sse/serve_command.hpp>
#include <vector>

#include <netkit/cli/shared_definitions.hpp>
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
           .help = "a header of the request",
           .repeatable = true},
          {.name = "request",
           .letter = 'X',
           .kind = Kind::text,
           .value_name = "METHOD",
           .help = "the method: GET, or with a body POST, unless given"},
          {.name = "data",
           .letter = 'd',
           .kind = Kind::text,
           .value_name = "D|@FILE",
           .help = "the body of the request, or the file that holds it; @- is stdin"},
          {.name = "json-body",
           .kind = Kind::text,
           .value_name = "D|@FILE",
           .help = "the same, of the type application/json",
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
           .help = "the proxy, instead of what the environment says"},
          {.name = "unix-socket", .kind = Kind::path, .help = "connect to this socket"}};
}

std::vector<OptionDef> stream_definitions() {
  return {
      {.name = "event",
       .letter = 'e',
       .kind = Kind::text,
       .value_name = "TYPE",
       .help = "events of this type only",
       .repeatable = true},
      {.name = "last-event-id",
       .kind = Kind::text,
       .value_name = "ID",
       .help = "begin after the event with this id"},
      {.name = "state",
       .kind = Kind::path,
       .help = "keep the last id in this file, and begin after it"},
      {.name = "retry",
       .kind = Kind::duration,
       .default_value = "1s",
       .help = "the reconnection time until the server says another"},
      {.name = "reconnect",
       .default_value = "forever",
       .help = "how many times in a row to try again; never where the method is not GET or HEAD"},
      {.name = "select",
       .kind = Kind::text,
       .value_name = "POINTER",
       .help = "print this part of the data, which are JSON (/choices/0/delta/content)",
       .repeatable = true},
      {.name = "join", .help = "print events without a newline between them"},
      {.name = "done",
       .kind = Kind::text,
       .value_name = "TEXT",
       .help = "end before the event whose data are just this"},
      {.name = "record",
       .kind = Kind::path,
       .help = "keep every byte with its time in this file, for serve --replay"},
      {.name = "any-type", .help = "read the answer as a stream whatever its media type is"},
      {.name = "comments", .help = "print comments as well"},
      {.name = "max-event",
       .kind = Kind::size,
       .default_value = "16M",
       .help = "the largest event, and the longest line",
       .min = 1},
      {.name = "idle-timeout",
       .default_value = "none",
       .help = "reconnect when nothing, not even a comment, came for so long",
       .min = 1},
      {.name = "until", .kind = Kind::regex, .help = "end after the first event whose data match"}};
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
      "lost is connected again, after the last event that came. It ends when told to, when the "
      "server says that there is no more (204), or when what comes is not an event stream.";
  action.arguments = {
      {.name = "URL", .kind = Kind::url, .repeatable = true, .help = "http:// or https://"}};
  action.common = kOutputOptions | kReconnectOptions | kCountOption | kConnectTimeoutOption |
                  kIdleTimeoutOption | kClientOptions;
  action.options =
      joined({request_definitions(), tls_definitions(), way_definitions(), stream_definitions()});
  RecordDef event{.type = "event", .help = "an event"};
  event.fields = {{"event", "its type; message where the stream names none"},
                  {"id", "the last event id as of this event; may be empty"},
                  {"url", "the URL that it came from, as given"}};
  event.payload_name = "data";
  RecordDef comment{.type = "comment", .help = "a comment, with --comments"};
  comment.fields = {{"url", "the URL that it came from, as given"}};
  comment.layout = ": {text}";
  action.records = {event, comment};
  action.totals = {
      {"events", "events that were printed"},
      {"filtered", "events of other types than --event"},
      {"unselected", "events that lack what --select names"},
      {"comments", "comments that came"},
      {"unfinished", "events that were cut off by the end of the stream"},
      {"bytes", "bytes that came", TotalKind::counter, TotalUnit::bytes},
      kConnectionsTotal,
      {"reconnects", "how often a lost stream was connected again"},
      {"open", "streams now", kGauge},
      {"reads", "reads that gave events"},
      {"first_event_ms", "from the request to the first event", kGauge, TotalUnit::milliseconds},
      {"gap_p50_ms", "between two events, half of the time at most", kGauge,
       TotalUnit::milliseconds},
      {"gap_p99_ms", "the same, 99 of 100 times", kGauge, TotalUnit::milliseconds},
      {"gap_max_ms", "the longest time between two events", kGauge, TotalUnit::milliseconds},
      {"event_rate", "events a second", kGauge, TotalUnit::per_second}};
  action.make = new_reader;
  action.examples = {
      {"netkit sse https://example.org/events", "print the data of each event"},
      {"netkit sse https://example.org/events --json | jq .data", "in a script"},
      {"netkit sse https://example.org/events --to broadcast:192.168.8.255:5000", "pass it on"},
      {"netkit sse https://example.org/events --state ~/.events.id", "go on where it ended"},
      {"netkit sse https://example.org/job/7 --until '\"done\"' --timeout 10m", "wait for a job"}};
  action.lifetime = Lifetime::until_told;
  action.may_be_omitted = true;
  return action;
}

std::vector<OptionDef> serve_definitions() {
  return {
      {.name = "event",
       .letter = 'e',
       .kind = Kind::text,
       .value_name = "TYPE",
       .help = "the type of the events; message unless given"},
      {.name = "keep",
       .kind = Kind::integer,
       .default_value = "1000",
       .help = "how many events are kept for readers that come back",
       .max = 100'000'000},
      {.name = "keep-bytes",
       .kind = Kind::size,
       .default_value = "64M",
       .help = "how much the kept events may take together"},
      {.name = "last",
       .kind = Kind::integer,
       .default_value = "0",
       .help = "how many kept events a reader gets that comes without an id"},
      {.name = "keepalive",
       .kind = Kind::duration,
       .default_value = "15s",
       .help = "send a comment when there was no event for so long",
       .min = 1},
      {.name = "cors",
       .kind = Kind::text,
       .value_name = "ORIGIN",
       .help = "the origin whose pages may read the stream, or * for all",
       .repeatable = true},
      {.name = "credentials", .help = "let those pages send cookies and logins", .needs = {"cors"}},
      {.name = "host",
       .kind = Kind::text,
       .value_name = "NAME",
       .help = "a name that the server goes by, beside those of this machine",
       .repeatable = true},
      {.name = "retry",
       .kind = Kind::duration,
       .help = "tell readers to wait so long before they connect again",
       .max = Duration(kLongestRetry).count()}};
}

// A hub that can be written to.
std::vector<OptionDef> hub_definitions() {
  return {{.name = "channels", .help = "each path is a separate stream; the sources feed /"},
          {.name = "max-channels",
           .kind = Kind::integer,
           .default_value = "1000",
           .help = "how many paths may be streams",
           .min = 1},
          {.name = "write-token-file",
           .kind = Kind::path,
           .help = "let who bears the token in this file publish by POST"},
          {.name = "max-event",
           .kind = Kind::size,
           .default_value = "1M",
           .help = "the largest body of a POST",
           .min = 1},
          {.name = "read-token-file",
           .kind = Kind::path,
           .help = "only who bears the token in this file may read"}};
}

// What a recording holds instead, and what goes wrong on purpose.
std::vector<OptionDef> replay_definitions() {
  return {
      {.name = "replay",
       .kind = Kind::path,
       .help = "serve the answers that --record has kept in this file",
       .excludes = {"from", "every", "channels", "write-token-file", "read-token-file", "store"}},
      {.name = "speed",
       .kind = Kind::number,
       .value_name = "X",
       .default_value = "1",
       .help = "X times as fast; 0: without waiting"},
      {.name = "fault",
       .kind = Kind::text,
       .value_name = "split=BYTES|stall=EVENTS|drop=EVENTS|status=CODE|retry=D",
       .help = "what to do wrong, so that clients can be tested",
       .repeatable = true}};
}

// What one connection may do.
std::vector<OptionDef> connection_definitions() {
  return {{.name = "request-timeout",
           .kind = Kind::duration,
           .default_value = "10s",
           .help = "how long a TLS handshake and a request may take",
           .min = 1},
          max_queue_option("what may wait for one reader; then it goes on from the kept events")};
}

std::vector<TotalDef> event_totals() {
  return {{"readers", "readers now", kGauge},
          {"channels", "paths that are streams", kGauge},
          {"events", "events that were made"},
          {"delivered", "events that were sent, of each reader"},
          {"replayed", "of those, kept ones that a reader had missed"},
          {"lost", "events that a reader does not get"},
          {"slow", "how often a reader was too slow for --max-queue"},
          {"unauthorized", "requests without the token that is needed"}};
}

std::vector<TotalDef> request_totals() {
  return {{"requests", "requests that came"},
          {"streams", "streams that began"},
          {"bad_requests", "requests that cannot be read"},
          {"request_timeouts", "connections closed after --request-timeout"},
          {"kept", "events that are kept", kGauge}};
}

ActionDef serve_action() {
  ActionDef action{.name = "serve", .summary = "serve records as an event stream"};
  action.description =
      "Every record of the sources, by default every line of stdin, becomes an event with an id. "
      "Readers that come back with a Last-Event-ID get what they missed. GET / is a page that "
      "shows the stream in a browser; every other path is the stream. It ends when told to.";
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
  action.examples = {{"netkit sse serve :8000 --every 1s", "the time, each second"},
                     {"tail -f log | netkit sse serve :8000", "a log, for browsers"}};
  action.lifetime = Lifetime::until_told;
  return action;
}

// A certificate of who is asked, as a client trusts it.
std::vector<OptionDef> trust_definitions() {
  return {{.name = "cacert",
           .kind = Kind::path,
           .help = "PEM certificates to trust instead of the system's"},
          {.name = "insecure", .letter = 'k', .help = "do not verify the server"}};
}

ActionDef proxy_action() {
  ActionDef action{.name = "proxy", .summary = "pass streams on, and print their events"};
  action.description =
      "Passes every request on to URL, its path behind that of URL, and the answer back as it "
      "comes, byte for byte; Host alone becomes that of URL. The events in the answers are "
      "printed. "
      "It ends when told to.";
  action.arguments = {{.name = "LISTEN", .kind = Kind::listen_address, .help = "where to listen"},
                      {.name = "URL", .kind = Kind::url, .help = "where to pass requests on to"}};
  action.common = kOutputOptions | kServerOptions | kConnectTimeoutOption | kClientOptions;
  action.options =
      joined({{{.name = "record",
                .kind = Kind::path,
                .help = "keep every byte of the answers with its time, for serve --replay"},
               {.name = "host",
                .kind = Kind::text,
                .value_name = "NAME",
                .help = "a name that the proxy goes by, beside those of this machine",
                .repeatable = true},
               {.name = "max-event",
                .kind = Kind::size,
                .default_value = "16M",
                .help = "the largest event that is printed",
                .min = 1}},
              tcp_client_limits("65536"),
              tls_server_options(),
              trust_definitions()});
  RecordDef event{.type = "event", .help = "an event"};
  event.fields = {{"event", "its type; message where the stream names none"},
                  {"id", "the last event id as of this event; may be empty"},
                  {"url", "the path that it came from"}};
  event.payload_name = "data";
  action.records = {event};
  action.totals =
      joined<TotalDef>({{{"requests", "requests that were passed on"},
                         {"events", "events that came back"},
                         {"bytes", "bytes of answers", TotalKind::counter, TotalUnit::bytes},
                         {"failed", "requests that the target could not be asked"}},
                        tcp_client_totals(),
                        {{"clients", "connections now", kGauge}}});
  action.make = new_command<ProxyCommand>;
  action.examples = {{"netkit sse proxy 8001 https://api.example/", "look at an API's streams"},
                     {"netkit sse proxy 8001 8000 --record day.rec", "keep them"}};
  action.lifetime = Lifetime::until_told;
  action.quiet_hides_records = true;
  return action;
}

ActionDef bench_action() {
  ActionDef action{.name = "bench", .summary = "read one stream many times at once"};
  action.description =
      "Opens as many streams of URL as there are readers, and tells how fast they came, when the "
      "first event was there, the gaps between events, and how far the slowest reader was behind "
      "the fastest, by the ids of events.";
  action.arguments = {{.name = "URL", .kind = Kind::url, .help = "http:// or https://"}};
  action.common = kOutputOptions | kConnectTimeoutOption | kClientOptions;
  action.options =
      joined({{{.name = "readers",
                .kind = Kind::integer,
                .default_value = "100",
                .help = "how many",
                .min = 1,
                .max = 1'000'000},
               {.name = "streams",
                .kind = Kind::integer,
                .help = "how many readers share a connection, by HTTP/2; else each has its own",
                .min = 1,
                .max = 10'000},
               {.name = "duration",
                .kind = Kind::duration,
                .default_value = "10s",
                .help = "how long",
                .min = 1},
               {.name = "max-first",
                .kind = Kind::duration,
                .help = "1 is the status where a first event took longer"},
               {.name = "max-gap",
                .kind = Kind::duration,
                .help = "or a gap between two events was longer"},
               {.name = "max-lost",
                .kind = Kind::percent,
                .help = "or more of the events of the best reader did not reach the others"}},
              trust_definitions()});
  const auto ms = [](std::string_view name, std::string_view help) {
    return TotalDef{name, help, kGauge, TotalUnit::milliseconds};
  };
  action.totals = {{"readers", "streams now", kGauge},
                   {"failed", "readers without a stream"},
                   {"events", "events that came to all readers"},
                   {"bytes", "bytes that came", TotalKind::counter, TotalUnit::bytes},
                   {"event_rate", "events a second", kGauge, TotalUnit::per_second},
                   ms("connect_p50_ms", "how long connecting took, half of the readers at most"),
                   ms("connect_max_ms", "the longest"),
                   ms("first_p50_ms", "from the start of a reader to its first event, half"),
                   ms("first_max_ms", "the longest"),
                   ms("gap_p50_ms", "between two events of a reader, half of the time at most"),
                   ms("gap_p99_ms", "the same, 99 of 100 times"),
                   ms("gap_max_ms", "the longest"),
                   ms("lag_p50_ms", "how far an event was behind the fastest reader, half"),
                   ms("lag_p99_ms", "the same, 99 of 100 times"),
                   ms("lag_max_ms", "the longest"),
                   {"lost_percent", "what the readers lack of the events of the best", kGauge,
                    TotalUnit::percent}};
  action.records = {
      {.type = "interval",
       .help = "with --stats=D: what came within a part of the time",
       .fields = {{"from_s", "seconds from the start to its beginning"},
                  {"to_s", "seconds from the start to its end"},
                  {"readers", "streams at its end"},
                  {"events_per_s", "events a second, to all readers"},
                  {"bytes_per_s", "bytes a second"},
                  {"gap_p50_ms", "between two events of a reader, half of the time at most"},
                  {"gap_p99_ms", "the same, 99 of 100 times"},
                  {"gap_max_ms", "the longest"},
                  {"lag_p50_ms", "how far an event was behind the fastest reader, half"},
                  {"lag_p99_ms", "the same, 99 of 100 times"},
                  {"lag_max_ms", "the longest"}},
       .layout = ""}};
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
