// The protocols whose codecs have names. Help, completion and netkit-frame(1) read this table.
#pragma once

#include <span>
#include <string_view>

#include <netkit/codec/codec_spec.hpp>

namespace netkit {

struct NamedCodec {
  std::string_view name;
  std::string_view protocol;  // whose frames they are, for people
  std::string_view codec;     // the line of the grammar that it stands for
  std::string_view more;      // what that line cannot say, for people; mostly empty
  std::string_view body;      // what of a frame is the body, for people
  Dialect dialect = Dialect::none;
};

// `netkit` first, then the others by their names. Any thread.
NETKIT_API std::span<const NamedCodec> codec_names();

}  // namespace netkit
