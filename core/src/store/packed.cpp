#include <cstddef>

#include <fmt/format.h>

#include <netkit/store/packed.hpp>
#include <netkit/util/text.hpp>

namespace netkit::store {

std::string pack(std::span<const Field> fields) {
  std::string out;
  for (const Field& field : fields) {
    out += fmt::format("{}:{}:{},", field.name, field.value.size(), field.value);
  }
  return out;
}

std::vector<Field> unpack(std::string_view text) {
  std::vector<Field> fields;
  while (!text.empty()) {
    const std::size_t name = text.find(':');
    if (name == std::string_view::npos) break;
    const std::size_t length = text.find(':', name + 1);
    if (length == std::string_view::npos) break;
    const auto size = read_integer<std::size_t>(text.substr(name + 1, length - name - 1));
    if (!size || *size >= text.size() - length - 1 || text[length + 1 + *size] != ',') break;
    fields.push_back(
        {std::string(text.substr(0, name)), std::string(text.substr(length + 1, *size))});
    text.remove_prefix(length + *size + 2);
  }
  return fields;
}

}  // namespace netkit::store
