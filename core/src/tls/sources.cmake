target_sources(netkit-core PRIVATE
  src/tls/tls_library.cpp
)
