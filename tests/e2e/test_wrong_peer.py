"""What answers is not what was asked for."""

import threading

import pytest

from netkit import udp_socket

CLIENTS = [(("push", "subscribe"), b"a push server"), (("chat", "join", "--name", "ann"), b"a chat room")]


@pytest.mark.parametrize("words, what", CLIENTS, ids=["push", "chat"])
def test_an_echo_server_is_said_to_be_none(netkit, words, what):
    server = netkit.serve("echo", "serve", "127.0.0.1:0", "-q")
    result = netkit.run(*words, server.address)
    said = b"netkit: %s: %s answers, but is not %s\n" % (words[0].encode(), server.address.encode(), what)
    assert (result.status, result.err) == (76, said)


@pytest.mark.parametrize("words, what", CLIENTS, ids=["push", "chat"])
def test_one_that_answers_with_text_is_said_to_be_none(netkit, words, what):
    with udp_socket() as server:
        def answer():
            while (asked := server.recvfrom(2048))[0] != b"end":
                server.sendto(b"who are you?", asked[1])
        answering = threading.Thread(target=answer, daemon=True)
        answering.start()
        result = netkit.run(*words, "%s:%d" % server.getsockname())
        server.sendto(b"end", server.getsockname())
        answering.join()
    assert result.status == 76 and b" answers, but is not " + what in result.err


@pytest.mark.parametrize("server, client", [(("push", "serve"), ("chat", "join", "--name", "ann")),
                                            (("chat", "serve"), ("push", "subscribe"))], ids=["push", "chat"])
def test_a_server_of_the_other_kind_is_not_taken_for_one(netkit, server, client):
    running = netkit.serve(*server, "0", **({"sockets": 2} if server[0] == "push" else {}))
    result = netkit.run(*client, running.address)
    assert result.status == 76 and (b"refused: " in result.err or b" answers, but is not " in result.err)
