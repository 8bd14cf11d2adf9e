target_sources(netkit-core PRIVATE
  src/tls/psk.cpp
  src/tls/psk_file.cpp
  src/tls/tls_library.cpp
)
