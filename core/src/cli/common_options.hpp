// The options that mean the same in every command, each declared once.
#pragma once

#include <cstdint>
#include <span>

#include <netkit/cli/option.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct CommonOption {
  std::uint32_t group;  // one of CommonOptions; kNoCommon: belongs to every action
  OptionDef option;
};

// In the order help shows them. Static storage. Any thread.
NETKIT_API std::span<const CommonOption> common_options();

}  // namespace netkit
