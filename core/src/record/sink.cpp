#include "record/sink.hpp"

#include <array>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit {

SinkSpec SinkSpec::parse(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, SinkKind>, 5> kSchemes = {{
      {"file:", SinkKind::file},
      {"udp:", SinkKind::udp},
      {"broadcast:", SinkKind::broadcast},
      {"multicast:", SinkKind::multicast},
      {"exec:", SinkKind::exec},
  }};
  if (text == "-") return {SinkKind::standard_output, {}};
  for (const auto& [scheme, kind] : kSchemes) {
    if (text.size() > scheme.size() && text.starts_with(scheme)) {
      return {kind, std::string(text.substr(scheme.size()))};
    }
  }
  throw UsageError("--to: '" + std::string(text) +
                   "' is not a sink (write -, file:PATH, udp:HOST:PORT, broadcast:HOST:PORT, "
                   "multicast:GROUP:PORT or exec:COMMAND)");
}

SinkCounterNames::SinkCounterNames(std::string_view kind, std::size_t number) {
  std::string base = "to_" + std::string(kind);
  if (number > 1) base += "_" + std::to_string(number);
  sent = base + "_sent";
  dropped = base + "_dropped";
  failed = base + "_failed";
}

}  // namespace netkit
