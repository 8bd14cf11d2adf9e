target_sources(netkit-core PRIVATE
  src/store/options.cpp
  src/store/packed.cpp
  src/store/stream.cpp
)
