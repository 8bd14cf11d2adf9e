"""netkit sse serve, read by npm's eventsource, over a restart of the connection."""

import subprocess

import pytest

READER = """
const {EventSource} = require(process.argv[2] + '/node_modules/eventsource');
const source = new EventSource(process.argv[1]);
source.onmessage = (e) => console.log(`message ${e.lastEventId} ${e.data}`);
source.addEventListener('beat', (e) => console.log(`beat ${e.lastEventId} ${e.data}`));
source.onopen = () => console.log('open');
"""


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    done = subprocess.run(["npm", "install", "--silent", "--fetch-retries=0", "--fetch-timeout=10000", "--prefix", folder,
                           "eventsource@3"], capture_output=True, timeout=100, check=False)
    if done.returncode != 0:
        pytest.skip("npm cannot install eventsource here: no registry")
    return folder


def test_eventsource_reads_and_comes_back(netkit, modules):
    server = netkit.serve("sse", "serve", "127.0.0.1:0", "--event", "beat", "--retry", "50ms")
    reader = netkit.start(argv=["node", "-e", READER, f"http://{server.address}/events", modules])
    reader.out.expect(rb"open\n")
    server.write(b"one\ntwo\n")
    reader.out.expect(rb"beat 1 one\nbeat 2 two\n")
    assert server.stop() == 0
    again = netkit.serve("sse", "serve", server.address, "--event", "beat")
    reader.out.expect(rb"open\n")
    again.write("drei \u2603\n")
    reader.out.expect("beat 1 drei \u2603\n".encode())
