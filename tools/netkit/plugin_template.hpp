// The files of plugin_template/, which `netkit plugins new` writes.
#pragma once

#include <span>
#include <string_view>

namespace netkit {

struct TemplateFile {
  std::string_view path;  // below the plugin's folder; holds placeholders like the content
  std::string_view content;
};

// Placeholders are the words `skeleton`, `Skeleton` and `SKELETON`, and `@DATE@`. Static storage.
std::span<const TemplateFile> plugin_template();

}  // namespace netkit
