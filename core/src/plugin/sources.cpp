#include <netkit/plugin/sources.hpp>

namespace netkit {
namespace {

bool is_given(const Values& values, std::string_view option) {
  return values.declared(option) && values.given(option);
}

bool has(const Values& values, std::string_view option) {
  return values.declared(option) && values.has(option);
}

}  // namespace

std::optional<std::size_t> Host::max_line() const {
  if (!has(values(), "max-line")) return std::nullopt;
  return static_cast<std::size_t>(values().size("max-line"));
}

std::unique_ptr<Sources> open_sources(Host& host, Sources::Handler& handler,
                                      const SourceDefaults& defaults) {
  const Values& values = host.values();
  Sources::Options options;
  options.history = host.command();
  options.message = has(values, "message") ? values.text("message") : defaults.message;
  if (is_given(values, "from")) options.from = values.texts("from");
  if (is_given(values, "every")) {
    options.every = values.duration("every");
  } else if (options.from.empty()) {
    options.every = defaults.every;
    if (defaults.every == kNever && defaults.stdin_when_none) options.from.emplace_back("-");
  }
  return Sources::open(host, handler, options);
}

}  // namespace netkit
