target_sources(netkit-core PRIVATE
  src/util/clock.cpp
  src/util/error.cpp
  src/util/exit_status.cpp
)
