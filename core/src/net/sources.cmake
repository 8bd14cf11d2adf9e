target_sources(netkit-core PRIVATE
  src/net/address_spec.cpp
  src/net/cidr.cpp
  src/net/endpoint.cpp
  src/net/ip_address.cpp
)
