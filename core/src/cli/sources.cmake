target_sources(netkit-core PRIVATE
)
