#include <chat/web_page.hpp>

namespace netkit::chat {

namespace {

constexpr std::string_view kPage = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>netkit chat</title>
<link rel="stylesheet" href="/chat.css">
<link rel="icon" href="data:,">
</head>
<body>
<header>
<h1>netkit chat</h1>
<p id="state" role="status">not in the room</p>
<button id="who" type="button" aria-expanded="false" aria-controls="roster" hidden>0 here</button>
</header>
<main>
<form id="enter">
<label for="name">Name</label>
<input id="name" name="name" required maxlength="64" autocomplete="nickname" autocapitalize="none" spellcheck="false">
<button type="submit">Join</button>
<p id="refused" role="alert"></p>
</form>
<ul id="roster" aria-label="Members" hidden></ul>
<div id="log" role="log" aria-label="Messages" tabindex="0" hidden><ol id="lines"></ol></div>
<form id="say" hidden>
<label for="text">Message</label>
<input id="text" name="text" autocomplete="off" enterkeyhint="send" maxlength="16000" placeholder="Message">
<button type="submit">Send</button>
</form>
</main>
<script src="/chat.js"></script>
</body>
</html>
)";

constexpr std::string_view kStyle =
    R"(:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif;
  --soft: color-mix(in srgb, CanvasText 70%, Canvas); --line: color-mix(in srgb, CanvasText 20%, Canvas);
  --accent: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --accent: #8ab4f8; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; height: 100dvh; display: flex; flex-direction: column; background: Canvas; color: CanvasText; }
header, #roster, #log, #say { padding-inline: max(.8em, calc((100% - 60em) / 2)); }
header { display: flex; align-items: center; gap: .8em; min-height: 3.5em; padding-block: .5em; border-bottom: 1px solid var(--line); }
h1 { font-size: 1em; margin: 0; white-space: nowrap; }
#state { flex: 1; margin: 0; color: var(--soft); min-width: 0; overflow-wrap: anywhere; }
main { flex: 1; min-height: 0; display: flex; flex-direction: column; }
button, input { font: inherit; padding: .4em .7em; border: 1px solid var(--soft); border-radius: .4em; }
input { min-width: 0; background: Canvas; color: CanvasText; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
button[type=submit] { border-color: var(--accent); background: var(--accent); color: Canvas; font-weight: 600; }
#who { white-space: nowrap; }
#enter { margin: auto; padding: 1em; display: grid; gap: .5em; width: min(22em, 100%); }
#refused:empty { display: none; }
#refused { margin: 0; }
#roster { margin: 0; padding-block: .5em; list-style: none; display: flex; flex-wrap: wrap; gap: .4em;
  border-bottom: 1px solid var(--line); max-height: 30%; overflow-y: auto; }
#roster button { border-color: var(--line); border-radius: 1em; background: none; color: inherit; padding: .1em .8em;
  overflow-wrap: anywhere; text-align: start; }
#log { flex: 1; min-height: 0; padding-block: .5em; overflow-y: auto; }
#lines { margin: 0; padding: 0; list-style: none; }
#lines:empty::before { content: "No messages yet."; color: var(--soft); }
#log li { overflow-wrap: anywhere; white-space: pre-wrap; padding: .15em 0; }
#log time { color: var(--soft); font-variant-numeric: tabular-nums; }
#log .name { font-weight: 600; }
#log .notice { color: var(--soft); }
#log .private { border-inline-start: 3px solid var(--accent); padding-inline-start: .5em; }
#log .called { font-weight: 600; }
#say { display: flex; gap: .5em; align-items: center; padding-block: .5em; border-top: 1px solid var(--line); }
#say input { flex: 1; }
#say label { position: absolute; clip-path: inset(50%); }
)";

constexpr std::string_view kScript = R"('use strict';
const element = (id) => document.getElementById(id);
const kShown = 1000;
let name = '';       // in the room; empty: not there
let wanted = '';     // what was asked for
let seq = 0;         // of the last message
let stream = null;
let lastId = '';     // of the events
let unsent = [];     // said while the server was away, in order
let sending = false;
let day = '';
const roster = new Set();

const node = (tag, kind, text) => {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  if (text !== undefined) made.textContent = text;
  return made;
};
const state = (text) => { element('state').textContent = text; };

// The newest line stays in view, also when a phone's keyboard opens.
let atEnd = true;
const toEnd = () => { if (atEnd) element('log').scrollTop = element('log').scrollHeight; };
element('log').onscroll = (event) => {
  const log = event.target;
  atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
};
new ResizeObserver(toEnd).observe(element('log'));
const append = (item) => {
  const lines = element('lines');
  lines.append(item);
  while (lines.childElementCount > kShown) lines.firstElementChild.remove();
  toEnd();
};
const line = (time, kind) => {
  const at = time ? new Date(time) : new Date();
  const today = at.toLocaleDateString();
  if (day && day !== today) append(node('li', 'notice', today));
  day = today;
  const item = node('li', kind);
  const shown = node('time', '', at.toLocaleTimeString([], {hour: '2-digit', minute: '2-digit'}));
  shown.dateTime = at.toISOString();
  item.append(shown, ' ');
  return item;
};
const notice = (text, time) => {
  const item = line(time, 'notice');
  item.append(text);
  append(item);
};
const calls = (text) => {
  const letters = /[\p{L}\p{N}]/u;
  const low = text.toLowerCase(), own = name.toLowerCase();
  for (let at = low.indexOf(own); own && at >= 0; at = low.indexOf(own, at + 1)) {
    const before = low[at - 1] || '', after = low[at + own.length] || '';
    if (!letters.test(before) && !letters.test(after)) return true;
  }
  return false;
};
const showMessage = (said) => {
  if (said.seq) seq = said.seq;
  const item = line(said.time, said.private ? 'private' : '');
  if (!said.own && calls(said.text)) item.classList.add('called');
  // Isolated, so that a name from right to left turns nothing else around.
  const who = node('bdi', 'name', said.action ? '* ' + said.name : '[' + said.name + (said.private ? ' to you]' : ']'));
  item.append(who, ' ', node('bdi', '', said.text));
  append(item);
};
const showRoster = () => {
  const list = element('roster');
  list.replaceChildren(...[...roster].sort().map((one) => {
    const item = node('li');
    const button = node('button', '', one);
    button.type = 'button';
    button.title = 'Write a private message';
    button.onclick = () => { element('text').value = '/msg ' + one + ' '; element('text').focus(); };
    item.append(button);
    return item;
  }));
  element('who').textContent = roster.size + ' here';
};

const events = {
  welcome: (came) => {
    name = came.name;
    wanted = wanted || name;
    for (const id of ['log', 'say', 'who']) element(id).hidden = false;
    element('enter').hidden = true;
    state('in the room as ' + name);
    if (came.motd) notice(came.motd);
    element('text').focus();
    flush();
  },
  message: showMessage,
  joined: (came) => { roster.add(came.name); showRoster(); notice('* ' + came.name + ' joined', came.time); },
  left: (came) => { roster.delete(came.name); showRoster(); notice('* ' + came.name + ' left (' + came.reason + ')', came.time); },
  renamed: (came) => {
    roster.delete(came.from); roster.add(came.name); showRoster();
    if (came.from === name) { name = wanted = came.name; state('in the room as ' + name); }
    notice('* ' + came.from + ' is now ' + came.name, came.time);
  },
  roster: (came) => { roster.clear(); came.names.forEach((one) => roster.add(one)); showRoster(); },
  notice: (came) => notice(came.text),
  refused: (came) => leave(came.why),
  closed: (came) => { state(came.why + '; trying again'); again(); },
  gone: (came) => leave(came.why),
};

let timer = 0;  // until the next attempt to come back
const leave = (why) => {
  if (stream) stream.close();
  clearTimeout(timer);
  stream = null;
  name = wanted = '';
  for (const id of ['log', 'say', 'who', 'roster']) element(id).hidden = true;
  element('enter').hidden = false;
  state('not in the room');
  element('refused').textContent = why || '';
  element('name').focus();
};
const listen = () => {
  if (stream) stream.close();
  stream = new EventSource('/room/events?after=' + lastId);
  for (const [type, take] of Object.entries(events)) {
    stream.addEventListener(type, (event) => { lastId = event.lastEventId; take(JSON.parse(event.data)); });
  }
  stream.onopen = () => { if (name) state('in the room as ' + name); };
  stream.onerror = () => {
    if (!wanted) return;
    state('offline; trying again');
    if (stream.readyState === EventSource.CLOSED) again();
  };
};
const again = () => {
  if (stream) stream.close();
  clearTimeout(timer);
  timer = setTimeout(enter, 500 + Math.random() * 1000);
};
const enter = async () => {
  const query = new URLSearchParams({name: wanted, since: seq ? seq + 1 : 0});
  try {
    const answer = await fetch('/room/join?' + query, {method: 'POST', redirect: 'error'});
    if (!wanted) return;  // it has left meanwhile
    if (answer.ok) return listen();
    if (answer.status === 400) return leave(await answer.text());
    state(await answer.text());
  } catch (error) {
    if (!wanted) return;
    state('offline; trying again');
  }
  again();
};
const flush = async () => {
  if (sending || !name) return;
  sending = true;
  while (unsent.length) {
    try {
      const answer = await fetch('/room/say', {method: 'POST', body: unsent[0], redirect: 'error'});
      if (answer.status === 503) { await new Promise((done) => setTimeout(done, 200)); continue; }
      if (answer.status === 401) { again(); break; }
      if (!answer.ok) notice(await answer.text());
      unsent.shift();
    } catch (error) { break; }
  }
  sending = false;
};

element('enter').onsubmit = (event) => {
  event.preventDefault();
  wanted = element('name').value.trim();
  element('refused').textContent = '';
  try { localStorage.setItem('name', wanted); } catch (error) {}
  if (wanted) enter();
};
element('say').onsubmit = (event) => {
  event.preventDefault();
  const text = element('text').value;
  element('text').value = '';
  if (!text.trim()) return;
  if (/^\/quit\s*$/.test(text)) {
    fetch('/room/leave', {method: 'POST'}).catch(() => {});
    unsent = [];
    leave('');
    return;
  }
  unsent.push(text);
  flush();
};
element('who').onclick = () => {
  const list = element('roster');
  list.hidden = !list.hidden;
  element('who').setAttribute('aria-expanded', String(!list.hidden));
};
addEventListener('pagehide', () => { if (name) navigator.sendBeacon('/room/leave'); });
try { element('name').value = localStorage.getItem('name') || ''; } catch (error) {}
element('name').focus();
)";

}  // namespace

std::string_view web_page() {
  return kPage;
}

std::string_view web_script() {
  return kScript;
}

std::string_view web_style() {
  return kStyle;
}

}  // namespace netkit::chat
