"""The servers that frame is measured beside: what people write in a few lines."""

NODE = r"""
const net = require('net');
const server = net.createServer(socket => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  let rest = Buffer.alloc(0);
  socket.on('data', data => {
    if (rest.length) data = Buffer.concat([rest, data]);
    let at = 0;
    const out = [];
    while (data.length - at >= 4) {
      const length = data.readUInt32BE(at);
      if (data.length - at - 4 < length) break;
      const answer = Buffer.allocUnsafe(6);
      answer.writeUInt32BE(2, 0);
      answer[4] = data[at + 4];
      answer[5] = 255;
      out.push(answer);
      at += 4 + length;
    }
    rest = data.subarray(at);
    if (out.length) socket.write(Buffer.concat(out));
  });
}).listen(0, '127.0.0.1', () => console.log(server.address().port));
"""

PYTHON = r"""
import selectors, socket, struct
selector = selectors.DefaultSelector()
listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
selector.register(listening, selectors.EVENT_READ)
print(listening.getsockname()[1], flush=True)
rests = {}
unpack = struct.Struct(">I").unpack_from
while True:
    for key, _ in selector.select():
        if key.fileobj is listening:
            client = listening.accept()[0]
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rests[client] = b""
            selector.register(client, selectors.EVENT_READ)
            continue
        client = key.fileobj
        data = client.recv(262144)
        if not data:
            selector.unregister(client)
            del rests[client]
            client.close()
            continue
        data = rests[client] + data
        at, out = 0, []
        while len(data) - at >= 4:
            length = unpack(data, at)[0]
            if len(data) - at - 4 < length:
                break
            out.append(b"\0\0\0\2" + data[at + 4:at + 5] + b"\xff")
            at += 4 + length
        rests[client] = data[at:]
        if out:
            client.sendall(b"".join(out))
"""

PYTHON_DECODE = r"""
import struct, sys
unpack = struct.Struct(">I").unpack_from
read, write = sys.stdin.buffer.read1, sys.stdout.buffer.write
rest = b""
while data := read(262144):
    data = rest + data
    at, out = 0, []
    while len(data) - at >= 4:
        length = unpack(data, at)[0]
        if len(data) - at - 4 < length:
            break
        out.append(data[at + 5:at + 4 + length])
        at += 4 + length
    rest = data[at:]
    write(b"".join(out))
"""

PYTHON_ENCODE = r"""
import struct, sys
pack = struct.Struct(">Ib").pack
write = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    id, body = line[:-1].split(b":", 1)
    write(pack(len(body) + 1, int(id)) + body)
"""
