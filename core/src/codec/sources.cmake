target_sources(netkit-core PRIVATE
  src/codec/binary_text.cpp
  src/codec/byte_buffer.cpp
  src/codec/codec_spec.cpp
  src/codec/frame_codec.cpp
)
