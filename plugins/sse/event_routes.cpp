#include <algorithm>
#include <array>
#include <memory>
#include <sse/event_routes.hpp>
#include <utility>

namespace netkit::sse {
namespace {

constexpr std::string_view kBeforeType = R"(<!DOCTYPE html>
<html lang="en" data-type=")";

constexpr std::string_view kAfterType = R"(">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>netkit sse</title>
<style>
:root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 0; }
header { position: sticky; top: 0; display: flex; align-items: center; gap: 1em; padding: .4em 1em;
  background: Canvas; border-bottom: 1px solid GrayText; }
#state { flex: 1; }
button { font: inherit; min-width: 5em; padding: .3em 1em; }
ol { list-style: none; margin: 0; padding: 0; font-family: ui-monospace, monospace; }
ol:empty::before { content: 'No event has come yet.'; display: block; padding: 1em; font-family: system-ui, sans-serif; }
li { display: flex; gap: 0 1em; padding: .3em 1em; border-bottom: 1px solid color-mix(in srgb, GrayText 30%, Canvas); }
time, .id, ol:empty { color: color-mix(in srgb, CanvasText 65%, Canvas); }
time, .id { white-space: nowrap; }
.data { flex: 1; min-height: 1.4em; white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 45em) { li { flex-wrap: wrap; } time, .id { font-size: .8em; } .data { flex-basis: 100%; } }
</style>
<header><span id="state" role="status">connecting</span><span id="count">0 events</span>
<button id="hold" type="button">Hold</button></header>
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
const show = (event) => {
  if (!(event instanceof MessageEvent)) return;  // types such as 'error' have other events too
  element('count').textContent = ++count + (count === 1 ? ' event' : ' events');
  const item = document.createElement('li');
  item.append(part('time', 'time', new Date().toLocaleTimeString()),
              part('span', 'id', event.lastEventId), part('span', 'data', event.data));
  if (!held) return put(item);
  held.push(item);
  if (held.length > kShown) held.shift();
};
const put = (item) => {
  list.prepend(item);
  if (list.childElementCount > kShown) list.lastElementChild.remove();
};
element('hold').onclick = () => {
  const came = held;
  held = came ? null : [];
  element('hold').textContent = held ? 'Go on' : 'Hold';
  if (came) came.forEach(put);
};
const source = new EventSource('events');
source.onopen = () => { element('state').textContent = 'connected'; };
source.onerror = () => {
  element('state').textContent =
      source.readyState === EventSource.CLOSED ? 'closed by the server' : 'connecting again';
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
HttpAnswer stream_answer(const MakeStream& make, const HttpRequest& request) {
  HttpAnswer answer{.type = "text/event-stream",
                    .headers =
                        "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
                        "X-Content-Type-Options: nosniff\r\n",
                    .is_shared = true};
  make(last_event_id_of(request), answer);
  return answer;
}

}  // namespace

std::string stream_page(std::string_view event_type) {
  std::string page(kBeforeType);
  append_attribute(page, event_type);
  page += kAfterType;
  return page;
}

std::string last_event_id_of(const HttpRequest& request) {
  if (const auto value = request.header("Last-Event-ID")) return std::string(*value);
  return request.parameter("lastEventId").value_or("");
}

HttpRoutes event_routes(HttpRoutes::Options options, std::string_view event_type, MakeStream make) {
  options.cors_headers = "Accept, Cache-Control, Last-Event-ID";
  HttpRoutes routes(std::move(options));
  const auto stream = [make = std::move(make)](const HttpRequest& request) {
    return stream_answer(make, request);
  };
  routes.add("/", [page = stream_page(event_type), stream](const HttpRequest& request) {
    return request.accepts("text/event-stream") ? stream(request) : page_answer(page);
  });
  // What browsers and crawlers ask every server for by themselves, and would wait for without end.
  for (const char* unasked :
       {"/favicon.ico", "/robots.txt", "/apple-touch-icon*", "/.well-known/*"}) {
    routes.add(unasked, [](const HttpRequest&) {
      return HttpAnswer::text(404, "there is no such thing here");
    });
  }
  routes.add("/*", stream);
  return routes;
}

}  // namespace netkit::sse
