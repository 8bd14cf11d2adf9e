target_sources(netkit-core PRIVATE
  src/net/address_spec.cpp
  src/net/broadcast_targets.cpp
  src/net/cidr.cpp
  src/net/datagram_queue.cpp
  src/net/datagram_receiver.cpp
  src/net/datagram_sender.cpp
  src/net/endpoint.cpp
  src/net/interfaces.cpp
  src/net/ip_address.cpp
  src/net/peer_groups.cpp
  src/net/udp_socket.cpp
  src/net/resolver.cpp
  src/net/tcp_connector.cpp
  src/net/tcp_listener.cpp
  src/net/tcp_stream.cpp
)
