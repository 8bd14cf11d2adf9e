// Whether what a plugin declares can be parsed, shown and completed.
#pragma once

#include <span>
#include <string>

#include <netkit/cli/option.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// The first mistake as a sentence, such as "action serve: --reply: default '5x' …"; empty: none.
NETKIT_API std::string declaration_problem(std::span<const ActionDef> actions);

}  // namespace netkit
