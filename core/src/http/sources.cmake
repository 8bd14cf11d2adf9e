target_sources(netkit-core PRIVATE
  src/http/answer_writer.cpp
  src/http/http_routes.cpp
  src/http/http_server.cpp
  src/http/http_text.cpp
  src/http/request_parser.cpp
)
