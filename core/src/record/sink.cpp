#include "record/sink.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

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
  if (text == "none") return {SinkKind::none, {}};
  for (const auto& [scheme, kind] : kSchemes) {
    if (text.size() > scheme.size() && text.starts_with(scheme)) {
      return {kind, std::string(text.substr(scheme.size()))};
    }
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find('/', colon) != std::string_view::npos) {
    return {SinkKind::other, std::string(text)};
  }
  throw UsageError("--to: '" + std::string(text) +
                   "' is not a sink (write -, none, file:PATH, udp:HOST:PORT, broadcast:HOST:PORT, "
                   "multicast:GROUP:PORT, exec:COMMAND or STORE/STREAM)");
}

namespace {

constexpr MetricDef kSent{"sink_sent", "sink", "records sent by a sink of --to"};
constexpr MetricDef kDropped{"sink_dropped", "sink", "records dropped by a sink of --to"};
constexpr MetricDef kFailed{"sink_failed", "sink", "failed commands of a sink of --to"};

std::string sink_label(std::string_view kind, std::size_t number) {
  return number > 1 ? fmt::format("{}_{}", kind, number) : std::string(kind);
}

}  // namespace

SinkTotals::SinkTotals(std::string_view kind, std::size_t number)
    : label_(sink_label(kind, number)),
      names_{fmt::format("to_{}_sent", label_), fmt::format("to_{}_dropped", label_),
             fmt::format("to_{}_failed", label_)},
      sent{.name = names_[0], .help = kSent.help, .metric = &kSent, .label_value = label_},
      dropped{.name = names_[1], .help = kDropped.help, .metric = &kDropped, .label_value = label_},
      failed{.name = names_[2], .help = kFailed.help, .metric = &kFailed, .label_value = label_} {}

}  // namespace netkit
