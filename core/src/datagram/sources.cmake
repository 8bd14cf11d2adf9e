target_sources(netkit-core PRIVATE
  src/datagram/channel.cpp
  src/datagram/chunk.cpp
  src/datagram/client.cpp
  src/datagram/congestion.cpp
  src/datagram/driver.cpp
  src/datagram/link.cpp
  src/datagram/options.cpp
  src/datagram/output_queue.cpp
  src/datagram/plain_fanout.cpp
  src/datagram/receive_side.cpp
  src/datagram/send_side.cpp
  src/datagram/server.cpp
  src/datagram/server_handshake.cpp
  src/datagram/session.cpp
  src/datagram/strangers.cpp
  src/datagram/wire.cpp
)
