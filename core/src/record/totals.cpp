#include <algorithm>
#include <string>

#include <netkit/record/totals.hpp>
#include <netkit/util/error.hpp>

namespace netkit {

void Totals::add(std::string_view name, Value value) {
  const auto at = std::ranges::find(definitions_, name, &TotalDef::name);
  if (at != definitions_.end()) return add(*at, value);
  if (declared_) throw PluginError("the total '" + std::string(name) + "' is not declared");
  entries_.push_back({name, value, nullptr});
}

}  // namespace netkit
