"""What netkit sse is measured against, as programs for `python3 -c` and `node -e`."""

# Sends TOTAL bytes (one event at least) of events of SIZE bytes, or of a completion's JSON of 200, in PIECEs of so many, to
# everyone who asks; prints its port.
ORIGIN = r"""
import socket, sys
is_json, total = sys.argv[1] == 'JSON', int(sys.argv[2])
size = 200 if is_json else int(sys.argv[1])
piece = int(sys.argv[3]) if len(sys.argv) > 3 else 1 << 30
data = b'x' * (size - 8)
if is_json:
    data = (b'{"id":"chatcmpl-9vXy","object":"chat.completion.chunk","created":1795866832,"model":"a-model-2026-11",'
            b'"choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}').ljust(size - 8)
event = b'data: ' + data + b'\n\n'
blob = event * max(1, (1 << 20) // size)
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
while True:
    peer, _ = server.accept()
    try:
        peer.recv(65536)
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n')
        for _ in range(max(1, total // len(blob))):
            for at in range(0, len(blob), piece):
                peer.sendall(blob[at:at + piece])
    except OSError:
        pass
    peer.close()
"""

PYTHON_CLIENT = r"""
import sys, urllib.request
out, data = sys.stdout.buffer, []
for line in urllib.request.urlopen(sys.argv[1]):
    line = line.rstrip(b'\r\n')
    if line.startswith(b'data:'):
        data.append(line[6:] if line[5:6] == b' ' else line[5:])
    elif not line and data:
        out.write(b'\n'.join(data) + b'\n')
        data = []
"""

# eventsource-parser on node's http, printing JSON lines.
NODE_CLIENT = r"""
const {createParser} = require(process.argv[2]);
let out = '';
const parser = createParser({onEvent: (e) => {
  out += JSON.stringify({event: e.event, data: e.data, id: e.id}) + '\n';
  if (out.length > 65536) { process.stdout.write(out); out = ''; }
}});
require('http').get(process.argv[1], (res) => {
  const text = new TextDecoder();
  res.on('data', (chunk) => parser.feed(text.decode(chunk, {stream: true})));
  res.on('end', () => process.stdout.write(out));
});
"""

# An event stream of the lines of stdin, as people write it with node's http; prints its port.
NODE_SERVER = r"""
const readers = new Set();
const server = require('http').createServer((req, res) => {
  res.writeHead(200, {'Content-Type': 'text/event-stream'});
  res.flushHeaders();
  readers.add(res);
  res.on('close', () => readers.delete(res));
}).listen(0, '127.0.0.1', 4096, () => console.log(server.address().port));
let id = 0;
require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  const event = `id: ${++id}\ndata: ${line}\n\n`;
  for (const res of readers) res.write(event);
});
"""

# So many readers of a URL for some seconds, as people write it with node's http; prints how many events they had.
NODE_READERS = r"""
const http = require('http');
const [url, count, seconds] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
const agent = new http.Agent({maxSockets: Infinity});
let events = 0, started = 0;
function read() {
  http.get(url, {agent, headers: {Accept: 'text/event-stream'}}, (res) => {
    res.setEncoding('utf8');
    let rest = '';
    res.on('data', (text) => {
      const parts = (rest + text).split('\n\n');
      rest = parts.pop();
      events += parts.length;
    });
    res.on('error', () => {});
  }).on('error', () => {});
}
const timer = setInterval(() => {
  for (let i = 0; i < 100 && started < count; ++i, ++started) read();
  if (started === count) clearInterval(timer);
}, 1);
setTimeout(() => { console.log(events); process.exit(0); }, seconds * 1000);
"""
