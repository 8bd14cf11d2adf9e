#include "cli/value_completion.hpp"

#include <filesystem>
#include <net/if.h>
#include <string>
#include <utility>

#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

// More names than anybody reads; a folder of a million files must not hold the shell.
constexpr std::size_t kMaxFiles = 1000;

void add_interfaces(std::vector<Candidate>& out) {
  struct if_nameindex* all = ::if_nameindex();
  if (all == nullptr) return;
  for (const struct if_nameindex* one = all; one->if_index != 0; ++one) {
    out.push_back({one->if_name, "interface"});
  }
  ::if_freenameindex(all);
}

// `file:/var/lo` as `file:/var/log/`: the shell does not know that a path follows the colon.
Completion files_after(std::string_view scheme, std::string_view path) {
  Completion out;
  const std::size_t slash = path.rfind('/');
  const std::string folder(path.substr(0, slash == path.npos ? 0 : slash + 1));
  const std::string_view begun = path.substr(folder.size());
  std::error_code error;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, error), end;
       !error && entry != end && out.candidates.size() < kMaxFiles; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(begun) || (begun.empty() && name.starts_with('.'))) continue;
    std::error_code unknown;
    const bool is_folder = entry->is_directory(unknown);
    std::string word(scheme);
    word.append(folder).append(name).append(is_folder ? "/" : "");
    out.candidates.push_back({std::move(word)});
    if (is_folder) out.directive = Directive::nospace;
  }
  return out;
}

Completion schemes(std::string_view typed, bool sink) {
  if (typed.starts_with("file:")) return files_after("file:", typed.substr(5));
  Completion out;
  out.candidates = {{"-", sink ? "standard output" : "standard input, a record a line"},
                    {"file:", sink ? "append to a file" : "a file, a record a line"},
                    {"exec:", sink ? "a command per record" : "the output of a command"}};
  if (sink) {
    out.candidates.push_back({"udp:", "HOST:PORT, a datagram a record"});
    out.candidates.push_back({"broadcast:", "HOST:PORT"});
    out.candidates.push_back({"multicast:", "GROUP:PORT"});
  }
  out.directive = Directive::nospace;
  return out;
}

Completion fields() {
  Completion out;
  for (const char* field : {"text", "peer", "ip", "port", "name", "seq", "time", "date", "ctime",
                            "host", "event", "id"}) {
    out.candidates.push_back({"{" + std::string(field) + "}"});
  }
  out.directive = Directive::nospace;
  return out;
}

}  // namespace

Completion complete_value(const OptionDef& option, std::string_view typed) {
  Completion out;
  for (const std::string_view choice : option.choices)
    out.candidates.push_back({std::string(choice)});
  switch (option.kind) {
    case ValueKind::interface:
      add_interfaces(out.candidates);
      return out;
    case ValueKind::path:
      out.directive = Directive::file;
      return out;
    case ValueKind::source:
      return schemes(typed, false);
    case ValueKind::sink:
      return schemes(typed, true);
    case ValueKind::template_text:
      return fields();
    case ValueKind::address:
    case ValueKind::addresses:
    case ValueKind::listen_address:
      out.address = true;
      return out;
    case ValueKind::duration:
      if (typed.empty()) out.candidates.push_back({"none", "never"});
      return out;
    default:
      return out;
  }
}

}  // namespace netkit
