#include <algorithm>
#include <array>
#include <memory>
#include <sse/event_routes.hpp>
#include <utility>

#include <netkit/http/http_text.hpp>

namespace netkit::sse {
namespace {

constexpr std::string_view kBeforeType = R"(<!DOCTYPE html>
<html lang="en" data-type=")";

constexpr std::string_view kBetween = R"(" data-stream=")";

constexpr std::string_view kAfterStream = R"(">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>netkit sse</title>
<style>
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 0; }
header { position: sticky; top: 0; display: flex; flex-wrap: wrap; align-items: center; gap: .3em 1em; padding: .4em 1em;
  background: Canvas; border-bottom: 1px solid GrayText; }
#state { flex: 1; min-width: 6em; }
label { display: flex; align-items: center; gap: .5em; }
#filter { font: inherit; min-width: 0; width: 10em; padding: .25em .5em; }
pre { margin: 0; font: inherit; white-space: pre-wrap; }
button { font: inherit; min-width: 5em; padding: .3em 1em; }
ol { list-style: none; margin: 0; padding: 0; font-family: ui-monospace, monospace; }
ol:empty::before { content: 'No events yet.'; display: block; padding: 1em; font-family: system-ui, sans-serif; }
li[hidden] { display: none; }
li { display: flex; gap: 0 1em; padding: .3em 1em; border-bottom: 1px solid color-mix(in srgb, GrayText 30%, Canvas); }
time, .id, ol:empty { color: color-mix(in srgb, CanvasText 65%, Canvas); }
time, .id { white-space: nowrap; }
.data { flex: 1; min-height: 1.4em; white-space: pre-wrap; overflow-wrap: anywhere; }
.data, .data pre, .data summary { unicode-bidi: plaintext; }
@media (max-width: 45em) { li { flex-wrap: wrap; } time, .id { font-size: .8em; } .data { flex-basis: 100%; } }
</style>
<header><span id="state" role="status">connecting</span><span id="count">0 events</span>
<label>Filter <input id="filter" type="search"></label>
<button id="hold" type="button">Pause</button></header>
<ol id="events" aria-live="off"></ol>
<script>
'use strict';
const kShown = 500;
const element = (id) => document.getElementById(id);
const list = element('events');
const type = document.documentElement.dataset.type || 'message';
let count = 0;
let held = null;  // what has come since the list is held
const part = (tag, name, text) => {
  const node = document.createElement(tag);
  node.className = name;
  node.textContent = text;
  return node;
};
// Long JSON is folded to its first characters.
const dataOf = (text) => {
  let json;
  if (text.length > 80 && /^[[{]/.test(text)) try { json = JSON.parse(text); } catch (error) {}
  if (json === undefined) return part('span', 'data', text);
  const folded = part('details', 'data', '');
  folded.append(part('summary', '', text.slice(0, 70) + '…'), part('pre', '', JSON.stringify(json, null, 2)));
  return folded;
};
const fits = (text) => text.toLowerCase().includes(element('filter').value.toLowerCase());
element('filter').oninput = () => {
  for (const item of list.children) item.hidden = !fits(item.data);
};
const show = (event) => {
  if (!(event instanceof MessageEvent)) return;  // types such as 'error' have other events too
  element('count').textContent = ++count + (count === 1 ? ' event' : ' events');
  const item = document.createElement('li');
  item.append(part('time', 'time', new Date().toLocaleTimeString()),
              part('span', 'id', event.lastEventId), dataOf(event.data));
  item.data = event.data;
  if (!held) return put(item);
  held.push(item);
  if (held.length > kShown) held.shift();
};
const put = (item) => {
  item.hidden = !fits(item.data);  // it may have been held while the filter changed
  list.prepend(item);
  if (list.childElementCount > kShown) list.lastElementChild.remove();
};
element('hold').onclick = () => {
  const came = held;
  held = came ? null : [];
  element('hold').textContent = held ? 'Resume' : 'Pause';
  if (came) came.forEach(put);
};
const source = new EventSource(document.documentElement.dataset.stream + location.search.replace('?', '&'));
source.onopen = () => { element('state').textContent = 'connected'; };
source.onerror = () => {
  element('state').textContent =
      source.readyState === EventSource.CLOSED ? 'closed by the server' : 'reconnecting';
};
source.addEventListener(type, show);
if (type !== 'message') source.addEventListener('message', show);
</script>
</html>
)";

void append_attribute(std::string& out, std::string_view text) {
  constexpr std::array<std::pair<char, std::string_view>, 4> kNames{
      {{'&', "&amp;"}, {'"', "&quot;"}, {'<', "&lt;"}, {'>', "&gt;"}}};
  for (const char c : text) {
    const auto* const name =
        std::ranges::find(kNames, c, &std::pair<char, std::string_view>::first);
    name == kNames.end() ? out += c : out += name->second;
  }
}

HttpAnswer page_answer(const std::string& page) {
  return {.type = "text/html; charset=utf-8",
          .headers =
              "Cache-Control: no-cache\r\nVary: Accept\r\nX-Content-Type-Options: nosniff\r\n"
              "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
              "script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'\r\n",
          .body = page};
}

// nginx buffers what it passes on unless X-Accel-Buffering forbids it.
HttpAnswer stream_answer(const EventActions& actions, const HttpRequest& request) {
  HttpAnswer answer{.type = "text/event-stream",
                    .headers =
                        "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
                        "X-Content-Type-Options: nosniff\r\n",
                    .is_shared = true};
  actions.read(request, answer);
  return answer;
}

// In constant time, so that nobody finds out a token byte by byte.
bool is_same(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

// By `Authorization: Bearer TOKEN` or, of readers, who may be unable to set headers, `?token=`.
bool bears(const HttpRequest& request, std::string_view token, bool in_query) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view login = request.header("Authorization").value_or("");
  if (http::equal_without_case(login.substr(0, kScheme.size()), kScheme)) {
    return is_same(http::trim_blanks(login.substr(kScheme.size())), token);
  }
  const auto parameter = in_query ? request.parameter("token") : std::nullopt;
  return parameter && is_same(*parameter, token);
}

HttpAnswer unauthorized(const EventActions& actions) {
  if (actions.on_refused) actions.on_refused();
  HttpAnswer answer = HttpAnswer::text(401, "a token is required: Authorization: Bearer TOKEN");
  answer.headers += "WWW-Authenticate: Bearer\r\n";
  answer.is_shared = true;
  return answer;
}

}  // namespace

std::string stream_page(std::string_view event_type, std::string_view stream) {
  std::string page(kBeforeType);
  append_attribute(page, event_type);
  page += kBetween;
  append_attribute(page, stream);
  page += kAfterStream;
  return page;
}

std::string last_event_id_of(const HttpRequest& request) {
  if (const auto value = request.header("Last-Event-ID")) return std::string(*value);
  return request.parameter("lastEventId").value_or("");
}

HttpRoutes event_routes(HttpRoutes::Options options, std::string_view event_type,
                        std::string_view page_stream, EventActions actions) {
  options.cors_headers = "Accept, Authorization, Cache-Control, Content-Type, Last-Event-ID";
  HttpRoutes routes(std::move(options));
  const auto shared = std::make_shared<const EventActions>(std::move(actions));
  const auto stream = [shared](const HttpRequest& request) {
    const bool may_read = shared->read_token.empty() || bears(request, shared->read_token, true);
    return may_read ? stream_answer(*shared, request) : unauthorized(*shared);
  };
  routes.add("/",
             [page = stream_page(event_type, page_stream), stream](const HttpRequest& request) {
               return request.accepts("text/event-stream") ? stream(request) : page_answer(page);
             });
  // What browsers and crawlers ask every server for by themselves, and would wait for without end.
  for (const char* unasked :
       {"/favicon.ico", "/robots.txt", "/apple-touch-icon*", "/.well-known/*"}) {
    routes.add(unasked, [](const HttpRequest&) { return HttpAnswer::text(404, "not found"); });
  }
  routes.add("/*", stream);
  if (!shared->publish) return routes;
  routes.add("POST", "/*", [shared](const HttpRequest& request) {
    if (!bears(request, shared->write_token, false)) return unauthorized(*shared);
    HttpAnswer answer = shared->publish(request);
    answer.is_shared = true;
    return answer;
  });
  return routes;
}

}  // namespace netkit::sse
