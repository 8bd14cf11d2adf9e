#include "record/compiled_template.hpp"

#include <netkit/record/template.hpp>

namespace netkit {

struct Template::Impl : CompiledTemplate {
  using CompiledTemplate::CompiledTemplate;
};

Template Template::parse(std::string_view source, std::string_view option,
                         std::span<const std::string_view> more_fields) {
  Template result;
  result.impl_ = std::make_shared<const Impl>(source, option, more_fields);
  return result;
}

void Template::render(const Record& record, std::string& out, Escaping escaping) const {
  impl_->render(record, out, escaping);
}

bool Template::is_payload_only() const {
  return impl_->is_payload_only();
}

bool Template::is_constant() const {
  return impl_->is_constant();
}

const std::string& Template::source() const {
  return impl_->source();
}

}  // namespace netkit
