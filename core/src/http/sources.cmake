target_sources(netkit-core PRIVATE
  src/http/http1.cpp
  src/http/http1_protocol.cpp
  src/http/http2_library.cpp
  src/http/http2_protocol.cpp
  src/http/http_routes.cpp
  src/http/http_server.cpp
  src/http/http_text.cpp
)
