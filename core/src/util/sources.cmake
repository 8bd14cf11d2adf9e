target_sources(netkit-core PRIVATE
  src/util/core_library.cpp
  src/util/environment.cpp
  src/util/error.cpp
  src/util/file.cpp
  src/util/format.cpp
  src/util/histogram.cpp
  src/util/hmac_sha256.cpp
  src/util/json_text.cpp
  src/util/log.cpp
  src/util/printable.cpp
  src/util/quantity.cpp
  src/util/random.cpp
  src/util/suggest.cpp
  src/util/terminal.cpp
  src/util/text.cpp
)
