"""A server on every interface of a host with several addresses answers from the one that was asked."""

import pytest

from lan import Lan, _run

ADDRESSES = ["10.91.1.1", "10.91.1.9", "[fd00:91::1]", "[fd00:91::9]"]  # of a


@pytest.fixture
def lan(netkit):
    lan = Lan(netkit)
    lan.host("a", "10.91.1.1/24")
    lan.host("b", "10.91.1.2/24")
    for host, more in (("a", ["10.91.1.9/24", "fd00:91::1/64", "fd00:91::9/64"]), ("b", ["fd00:91::2/64"])):
        for address in more:
            _run("ip", "address", "add", address, "dev", "n1", *(["nodad"] if ":" in address else []),
                 pid=lan.hosts[host].pid)
    return lan


@pytest.mark.parametrize("dialect", [[], ["--plain"]], ids=["native", "plain"])
def test_push_and_chat_answer_from_the_address_that_was_asked(lan, dialect):
    lan.listen("a", "push", "serve", ":9000", "--every", "20ms", "--message", "{seq}")
    lan.listen("a", "chat", "serve", ":9998", "--template", "{text}")
    for address in ADDRESSES:
        subscribed = lan.run("b", "push", "subscribe", f"{address}:9000", "--count", "2", "--timeout", "10s", *dialect)
        assert subscribed.status == 0 and len(subscribed.lines) == 2, (address, subscribed)
    for address in ADDRESSES:
        speaker = lan.start("b", "chat", "join", f"{address}:9998", *(dialect or ["--name", "ann"]))
        speaker.write("hello\n")
        if dialect:
            assert speaker.out.line() == b"hello"
        speaker.close_stdin()
        assert speaker.wait() == 0, address
