"""netkit sse serve, read by the EventSource of node and of a browser, over broken connections and a restart."""

import pytest

from browser import Page
from sse_peer import Relay

READER = """
const EventSource = require('eventsource');
const source = new EventSource(process.argv[1]);
const print = (e) => console.log(`${e.type} ${/^\\d+$/.test(e.lastEventId)} ${e.data}`);
source.onmessage = print;
source.addEventListener('beat', print);
source.onopen = () => console.log('open');
"""
RETRY = ("--retry", "50ms")


@pytest.fixture
def serve(netkit):
    return lambda *args: netkit.serve("sse", "serve", *args)


@pytest.fixture
def node(netkit):
    """Reads a URL by node's eventsource package."""
    return lambda url: netkit.start(argv=["node", "-e", READER, url], env={"NODE_PATH": "/usr/share/nodejs"})


def test_node_reads_and_comes_back_after_a_restart(serve, node):
    server = serve("127.0.0.1:0", "--event", "beat", *RETRY)
    reader = node(f"http://{server.address}/events")
    reader.out.expect(rb"open\n")
    server.write(b"one\ntwo\n")
    reader.out.expect(rb"beat true one\nbeat true two\n")
    assert server.stop() == 0
    again = serve(server.address, "--event", "beat")
    reader.out.expect(rb"open\n")
    again.write("drei \u2603\n")
    reader.out.expect("beat true drei \u2603\n".encode())


def test_node_gets_what_it_missed(serve, node):
    server = serve("127.0.0.1:0", *RETRY)
    with Relay(server.address) as relay:
        reader = node(f"http://{relay.address}/events")
        reader.out.expect(rb"open\n")
        server.write(b"one\n")
        reader.out.expect(rb"message true one\n")
        with relay.outage():
            server.write(b"two\nthree\n")
        reader.out.expect(rb"open\nmessage true two\nmessage true three\n")


@pytest.fixture
def browse(netkit, tmp_path):
    pages = []

    def start(url):
        pages.append(Page(netkit, tmp_path / "profile", url))
        return pages[-1]
    yield start
    for page in pages:
        page.close()


SHOWN = "[...document.querySelectorAll('li')].map(i => [...i.children].slice(2).map(c => c.textContent).join(' ')).reverse()"

# Where the two newest events, the newest first, have their last character.
SIDES = """[...document.querySelectorAll('li .data')].slice(0, 2).map(({firstChild: text}) => {
  const left = (at) => { const range = document.createRange(); range.setStart(text, at); range.setEnd(text, at + 1);
                         return range.getBoundingClientRect().left; };
  return left(text.length - 1) < left(0) ? 'left' : 'right'; })"""


@pytest.mark.parametrize("event", ["message", "beat"])
def test_the_page_in_a_browser(serve, browse, event):
    server = serve("127.0.0.1:0", "--event", event, *RETRY)
    with Relay(server.address) as relay:
        page = browse(f"http://{relay.address}/")
        page.wait_for("document.getElementById('state')?.textContent", "connected")
        server.write("one\n<b>two</b> \u2603\n")
        page.wait_for(SHOWN, ["one", "<b>two</b> \u2603"])
        with relay.outage():
            server.write(b"three\n")
            page.wait_for("document.getElementById('state').textContent", "reconnecting")
        page.wait_for(SHOWN, ["one", "<b>two</b> \u2603", "three"])
        server.write(b"four\n")
        page.wait_for("document.getElementById('count').textContent", "4 events")
        page.evaluate("document.getElementById('hold').click()")
        server.write(b"five\n")
        page.wait_for("document.getElementById('count').textContent", "5 events")
        assert page.evaluate(SHOWN)[-1] == "four"
        page.evaluate("document.getElementById('hold').click()")
        assert page.evaluate(SHOWN)[-2:] == ["four", "five"]
        server.write(b'{"six": "%s", "more": {"a": 1}}\n' % (b"x" * 80))
        page.wait_for("document.querySelector('details')?.open", False)
        assert page.evaluate("JSON.parse(document.querySelector('details pre').textContent).more.a") == 1
        page.evaluate("document.getElementById('filter').value = 'TWO'; document.getElementById('filter').oninput()")
        assert page.evaluate("[...document.querySelectorAll('li:not([hidden])')].length") == 1
        server.write(b"seven\ntwofold\n")
        page.wait_for("[...document.querySelectorAll('li:not([hidden])')].length", 2)
        server.write("two \u2603 \u05d0!\n\u05d0 two!\n")
        page.wait_for("[...document.querySelectorAll('li:not([hidden])')].length", 4)
        assert page.evaluate(SIDES) == ["left", "right"], "each event begins where its own direction does"
        page.evaluate("document.getElementById('hold').click()")
        server.write(b"eight two\nnine\n")
        page.wait_for("document.getElementById('count').textContent", "12 events")
        page.evaluate("document.getElementById('filter').value = 'NINE'; document.getElementById('filter').oninput()")
        page.evaluate("document.getElementById('hold').click()")
        assert page.evaluate("[...document.querySelectorAll('li:not([hidden])')].length") == 1


def test_another_origin_in_a_browser(serve, browse):
    closed, open_to_all = serve("127.0.0.1:0"), serve("127.0.0.1:0", "--cors", "*")
    page = browse("about:blank")
    read = """var {0} = [], s{0} = new EventSource('http://{1}/events');
              s{0}.onmessage = e => {0}.push(e.data); s{0}.onopen = s{0}.onerror = e => {0}.push(e.type); 1"""
    assert page.evaluate(read.format("shut", closed.address)) == 1
    assert page.evaluate(read.format("open", open_to_all.address)) == 1
    page.wait_for("shut", ["error"])
    page.wait_for("open", ["open"])
    open_to_all.write(b"one\n")
    page.wait_for("open", ["open", "one"])
