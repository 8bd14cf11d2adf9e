"""The examples of netkit-chat(1), as they stand there but for addresses."""

import json
import os
import signal

from man_page import example, example_words
from netkit import udp_socket

PAGE = "netkit-chat.1"


def say(netkit, server, text):
    assert netkit.run("chat", "join", server.address, "--name", "bob", stdin=text).status == 0


def test_a_room_and_a_line_from_a_script(netkit):
    server = netkit.serve(*example_words(PAGE, "netkit chat serve"), "127.0.0.1:0")
    assert netkit.shell(example(PAGE, "echo 'build").replace("9998", str(server.port))).status == 0
    server.out.expect(rb"^\[ci\] build finished\n")


def test_a_room_for_the_network(netkit, tmp_path):
    server = netkit.serve(*example_words(PAGE, "netkit chat serve :9998", [(":9998", ":0")]), cwd=tmp_path)
    joined = netkit.run("chat", "join", f"127.0.0.1:{server.port}", "--name", "bob", stdin="hi\n")
    assert b"be kind" in joined.err
    assert server.stop(signal.SIGINT) == 0
    assert (tmp_path / "room.log").read_text().count("< bob hi\n") == 1


def test_a_room_for_small_scripts(netkit):
    server = netkit.serve(*example_words(PAGE, "netkit chat serve 9998", [("9998", "127.0.0.1:0")]))
    answer = netkit.shell(example(PAGE, "echo 123abc").replace("9998", str(server.port)))
    assert answer.out == b"ack: 123abc"


def test_everything_that_is_kept(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    say(netkit, server, "one\n")
    late = netkit.start(*example_words(PAGE, "netkit chat join 9998 --since", [("9998", server.address)]))
    assert late.out.json()["text"] == "one"
    say(netkit, server, "two\n")
    late.out.expect(rb'"text":"two"')
    assert late.stop() == 0
    assert json.loads(late.out.data.splitlines()[-1])["received"] == 2


def test_wait_for_one_message(netkit):
    server = netkit.serve("chat", "serve", "127.0.0.1:0")
    line = example(PAGE, "netkit chat join 9998 --count").replace("9998", str(server.port))
    waiting = netkit.start(argv=["bash", "-c", line.replace("netkit", os.environ["NETKIT"], 1)])
    waiting.err.expect(rb"joined")
    say(netkit, server, "at last\n")
    assert waiting.wait() == 0
    assert waiting.out.data.startswith(b"at last")


def test_a_room_that_only_knows_text(netkit):
    room = udp_socket()
    line = example_words(PAGE, "netkit chat join 9998 --plain", [("9998", str(room.getsockname()[1]))])
    plain = netkit.start(*line)
    assert room.recv(100) == b"reg"
    plain.close_stdin()
    assert room.recv(100) == b"quit"


def test_talk_without_a_server(netkit, tmp_path):
    other = udp_socket()
    peer = netkit.serve(*example_words(PAGE, "netkit chat peer", [
        ("9000", "0"), ("127.0.0.1:9001", "127.0.0.1:%d" % other.getsockname()[1])]), cwd=tmp_path)
    peer.write("hello\n")
    assert other.recv(100) == b"hello"
    assert peer.stop() == 0
    assert (tmp_path / "talk.log").read_text().endswith(" hello\n")
