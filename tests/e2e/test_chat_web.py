"""chat serve --web: the page's requests, and members at a browser, a terminal and nc in one room."""

import http.client
import json
import re
import socket

import pytest

from browser import Page
from netkit import DEADLINE, host_port, receive_to_end, tcp_connect, udp_socket


@pytest.fixture
def room(netkit):
    return netkit.serve("chat", "serve", "127.0.0.1:0", "--web", "--motd", "be kind", sockets=2)


class Browser:
    """What a page does, without one."""

    def __init__(self, room):
        self.host, self.port = host_port(next(address for kind, address in room.listening if kind == "tcp"))
        self.cookie = None
        self.events = None
        self.last_id = ""

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=DEADLINE)
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        if cookie := answer.getheader("Set-Cookie"):
            assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
            self.cookie = cookie.split(";")[0]
        return answer

    def join(self, name, since=0):
        assert self.ask("POST", f"/room/join?name={name}&since={since}").status == 204
        self.listen()
        return self

    def listen(self):
        self.events = self.ask("GET", "/room/events", **{"Last-Event-ID": self.last_id})
        assert self.events.status == 200 and self.events.getheader("Content-Type") == "text/event-stream"

    def line(self):
        line = self.events.readline()
        assert line, "the stream has ended"
        return line.rstrip(b"\n")

    def next(self, *types):
        """The next event of one of the types."""
        while True:
            event = {}
            while line := self.line():
                name, _, value = line.partition(b": ")
                event[name.decode()] = value.decode()
            if "event" not in event:
                continue  # a comment
            self.last_id = event.get("id", self.last_id)
            if event["event"] in types:
                return json.loads(event["data"])

    def say(self, text):
        answer = self.ask("POST", "/room/say", text)
        assert answer.status == 204, answer.read()


def test_the_page_is_whole_and_strict(room):
    browser = Browser(room)
    for path, kind in (("/", "text/html"), ("/chat.js", "text/javascript"), ("/chat.css", "text/css")):
        answer = browser.ask("GET", path)
        assert answer.status == 200 and answer.getheader("Content-Type") == f"{kind}; charset=utf-8"
        policy = answer.getheader("Content-Security-Policy")
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        text = answer.read().decode()
        assert not re.search(r"https?://|innerHTML|eval\(|document\.write", text), "nothing from elsewhere, text nodes only"


def test_browsers_a_terminal_and_nc_in_one_room(netkit, room):
    ann = Browser(room).join("ann")
    assert ann.next("welcome") == {"name": "ann", "motd": "be kind"}
    assert ann.next("roster")["names"] == ["ann"]
    bob = Browser(room).join("bob")
    assert ann.next("joined")["name"] == "bob"
    carl = netkit.start("chat", "join", room.address, "--name", "carl")
    carl.err.expect(rb"joined")
    with udp_socket() as nc:
        nc.sendto(b"reg", host_port(room.address))
        assert ann.next("joined")["name"] == "carl" and ann.next("joined")["name"].startswith("127.0.0.1:")
        ann.say("hello <b>all</b>")
        assert nc.recv(1000) == b"[ann] hello <b>all</b>\n"
        nc.sendto(b"hi from nc", host_port(room.address))
        assert nc.recv(1000).endswith(b"] hi from nc\n")
    carl.out.expect(rb"^\[ann\] hello <b>all</b>\n")
    assert (said := bob.next("message"))["text"] == "hello <b>all</b>" and said["seq"] == 1 and not said["private"]
    assert ann.next("message")["own"] and ann.next("message")["text"] == "hi from nc"
    carl.write("x\n")
    assert bob.next("message")["text"] == "hi from nc" and bob.next("message")["name"] == "carl"


def test_the_page_takes_so_many_connections(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--web", "--max-clients", "1", "--json", sockets=2)
    with tcp_connect(room.address) as first:
        first.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert first.recv(12) == b"HTTP/1.1 200"
        with tcp_connect(room.address) as second:
            assert receive_to_end(second) == b""
        room.err.expect(rb"--max-clients")
    assert room.stop() == 0 and json.loads(room.out.data.splitlines()[-1])["refused_clients"] == 1


def test_the_commands_of_the_prompt(netkit, room):
    ann, bob = Browser(room).join("ann"), Browser(room).join("bob")
    bob.next("roster")
    bob.say("/msg ann psst")
    assert (told := ann.next("message"))["private"] and told["text"] == "psst" and "seq" not in told
    assert bob.next("notice")["text"] == "/msg ann psst", "as it stays at a prompt"
    bob.say("/me waves")
    assert ann.next("message")["action"]
    bob.say("/nick robert")
    assert ann.next("renamed") | {"time": ""} == {"from": "bob", "name": "robert", "time": ""}
    bob.say("")
    bob.say("/who")
    assert bob.next("notice")["text"] == "here: ann, robert"
    bob.say("/ignore ann")
    assert bob.next("notice")["text"] == "ann is ignored"
    assert bob.ask("POST", "/room/say", "/nope").read() == b"unknown command '/nope' (start with // to send a /)\n"
    bob.say("/quit")
    assert (left := ann.next("left", "message"))["name"] == "robert" and "reason" in left, "an empty line says nothing"


def test_a_name_that_is_taken_and_one_that_is_none(room):
    Browser(room).join("ann").next("welcome")
    other = Browser(room).join("ann")
    assert "is taken" in other.next("refused")["why"]
    answer = other.ask("POST", "/room/join?name=a%5Bb")
    assert answer.status == 400 and answer.read() == b"the name contains a bracket\n"
    answer = other.ask("POST", "/room/join?name=carl&since=soon")
    assert answer.status == 400 and answer.read() == b"since is the number of a message, or 0\n"


def test_a_page_that_comes_back_goes_on_where_it_was(netkit, room):
    ann = Browser(room).join("ann")
    ann.next("welcome")
    ann.events.close()
    assert netkit.run("chat", "join", room.address, "--name", "bob", stdin="".join(f"line {n}\n" for n in range(5))).status == 0
    ann.listen()
    assert [ann.next("message")["text"] for _ in range(5)] == [f"line {n}" for n in range(5)]


def test_a_page_that_stays_away_for_too_long_is_told_what_it_lacks(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--web", "-q", sockets=2)
    ann = Browser(room).join("ann")
    ann.next("roster")
    ann.events.close()
    said = netkit.run("chat", "join", room.address, "--name", "bob", "-w", "20s", stdin=("x" * 60000 + "\n") * 25)
    assert said.status == 0
    ann.listen()
    assert re.fullmatch(r"\d+ events lost: this page was away for too long, or too slow", ann.next("notice")["text"])
    assert ann.next("message")["seq"] > 1


@pytest.mark.parametrize("headers, status", [
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 421),
    ({"Host": "evil.example", "Origin": "http://evil.example"}, 421), ({}, 401),
])
def test_who_is_foreign_is_refused(room, headers, status):
    ann = Browser(room).join("ann")
    ann.next("welcome")
    if not headers:
        ann.cookie = None
        assert ann.ask("GET", "/room/events").status == 401
    assert ann.ask("POST", "/room/say", "forged", **headers).status == status
    with socket.create_connection((ann.host, ann.port)) as sock:
        sock.sendall(b"GET /room/say HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 405")


def test_a_page_behind_a_proxy_that_ends_tls(netkit):
    room = netkit.serve("chat", "serve", "127.0.0.1:0", "--web", "--host", "chat.example", sockets=2)
    for origin, host, status in [
            ("https://chat.example", "chat.example", 204), ("https://chat.example:8443", "chat.example:8443", 204),
            ("https://chat.example:8443", "chat.example", 403), ("https://evil.example", "chat.example", 403),
            ("https://evil.example", "evil.example", 421), ("wss://chat.example", "chat.example", 403),
            ("https://chat.example.evil.example", "chat.example", 403), ("https://chat.example", "127.0.0.1", 403)]:
        answer = Browser(room).ask("POST", f"/room/join?name=n{len(host)}&since=0", Origin=origin, Host=host)
        assert answer.status == status, (origin, host)


def test_a_page_that_stays_away_leaves(netkit, room):
    ann = Browser(room).join("ann")
    ann.next("welcome")
    assert ann.ask("POST", "/room/leave").status == 204
    room.out.expect(rb"^\* ann left \(quit\)\n")


# ---- in a browser


@pytest.fixture
def browse(netkit, tmp_path):
    pages = []

    def open_page(url):
        pages.append(Page(netkit, tmp_path / f"profile{len(pages)}", url))
        return pages[-1]
    yield open_page
    for page in pages:
        page.close()


def url_of(room):
    return "http://%s/" % next(address for kind, address in room.listening if kind == "tcp")


def enter(page, name):
    page.wait_for("typeof (document.getElementById('enter') || {}).onsubmit", "function")
    page.evaluate(f"document.getElementById('name').value = {name!r}; document.querySelector('#enter button').click()")
    page.wait_for("document.getElementById('state').textContent", f"in the room as {name}")


def type_in(page, text):
    page.evaluate(f"document.getElementById('text').value = {json.dumps(text)}; document.querySelector('#say button').click()")


def by_keyboard(page, text):
    """Into whatever has the focus, and Enter."""
    page.call("Input.insertText", text=text)
    for kind in ("keyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")


CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map((one) => one / 255)
        .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (node) => {
    const color = getComputedStyle(node).backgroundColor;
    return /, 0\\)$/.test(color) ? behind(node.parentElement) : color;
  };
  return Math.min(...[...document.querySelectorAll('h1, p, time, .name, .notice, button, input, label, li')].map((node) => {
    const [one, other] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    return (one + 0.05) / (other + 0.05);
  }));
})()"""


def accessible(page):
    """What a screen reader and weak eyes need: names of all that can be operated, and contrast (WCAG 2, AA)."""
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        if not node["ignored"] and node["role"]["value"] in ("button", "textbox", "log", "list"):
            assert node["role"]["value"] == "list" or node["name"]["value"], node
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate(CONTRAST) >= 4.5


@pytest.mark.timeout(150)
def test_in_a_browser(netkit, room, browse):
    page = browse(url_of(room))
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    page.wait_for("(document.activeElement || {}).id", "name")
    by_keyboard(page, "ann")
    page.wait_for("document.getElementById('state').textContent", "in the room as ann")
    desktop = browse(url_of(room))
    desktop.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    enter(desktop, "dora")
    hostile = "<img src=x onerror=document.title='owned'> \x1b[2J ‮evil & \"quoted\""
    assert netkit.run("chat", "join", room.address, "--name", "<i>bob</i>", stdin=hostile + "\n").status == 0
    page.wait_for("[...document.querySelectorAll('#log .name')].map(e => e.textContent).join()", "[<i>bob</i>]")
    assert page.evaluate("document.title") == "netkit chat" and page.evaluate("document.querySelectorAll('#log img, #log i').length") == 0
    page.wait_for("document.activeElement.id", "text")
    by_keyboard(page, "hello from a page")
    room.out.expect(rb"^\[ann\] hello from a page\n")
    page.wait_for("document.querySelector('#log li:last-child').textContent.endsWith('[ann] hello from a page')", True)
    desktop.wait_for("document.querySelector('#log li:last-child').textContent.endsWith('[ann] hello from a page')", True)
    assert desktop.evaluate("getComputedStyle(document.body).backgroundColor") != page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.evaluate("document.documentElement.scrollWidth <= 390"), "nothing is wider than a phone"
    accessible(page)  # in light colours
    accessible(desktop)  # in dark ones
    assert page.evaluate("document.querySelector('label[for=text]').textContent + document.querySelector('label[for=name]').textContent") == "MessageName"
    # The room goes and comes back; what is said meanwhile arrives.
    assert room.stop() == 0
    page.wait_for("/trying again/.test(document.getElementById('state').textContent)", True)
    type_in(page, "said meanwhile")
    again = netkit.serve("chat", "serve", room.address, "--web", sockets=2)
    again.out.expect(rb"^\[ann\] said meanwhile\n", 40)
    page.wait_for("document.getElementById('state').textContent", "in the room as ann")
    page.wait_for("[...document.querySelectorAll('#log li')].filter(e => e.textContent.includes('said meanwhile')).length", 1)
    # Who leaves while the page tries to come back stays away.
    page.evaluate("due = []; setTimeout = (what) => due.push(what); clearTimeout = (number) => { due[number - 1] = null; }; again()")
    assert page.evaluate("due.filter(Boolean).length") == 1
    type_in(page, "/quit")
    page.wait_for("document.getElementById('state').textContent", "not in the room")
    assert page.evaluate("due.filter(Boolean).length") == 0


def test_a_name_from_right_to_left_turns_nothing_around(netkit, room, browse):
    page = browse(url_of(room))
    enter(page, "ann")
    assert netkit.run("chat", "join", room.address, "--name", "\u05d0\u05d1", stdin="123 is said\n").status == 0
    page.wait_for("document.querySelectorAll('#log .name').length", 1)
    assert page.evaluate("(([name, text]) => name.getBoundingClientRect().right <= text.getBoundingClientRect().left)"
                         "([...document.querySelectorAll('#log bdi')])")
