target_sources(netkit-core PRIVATE
  src/datagram/body.cpp
  src/datagram/chunk_ring.cpp
  src/datagram/client_endpoint.cpp
  src/datagram/cookie.cpp
  src/datagram/options.cpp
  src/datagram/output_queue.cpp
  src/datagram/packer.cpp
  src/datagram/reassembler.cpp
  src/datagram/receive_side.cpp
  src/datagram/send_side.cpp
  src/datagram/server_endpoint.cpp
  src/datagram/server_handshake.cpp
  src/datagram/session.cpp
  src/datagram/socket_driver.cpp
  src/datagram/wire.cpp
)
