#include "external.hpp"

#include "app.hpp"
#include "plugin/search_path.hpp"

#include <cerrno>
#include <csignal>
#include <unistd.h>
#include <vector>

#include <netkit/util/error.hpp>

namespace netkit {

void run_external(const std::string& name, std::span<const std::string> words) {
  const auto external = find_external_command(environment_variable("PATH").value_or(""), name);
  if (!external) return;
  std::vector<char*> argv{const_cast<char*>(external->path.c_str())};
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execv(external->path.c_str(), argv.data());
  throw SystemError(errno, "cannot run " + external->path.string());
}

}  // namespace netkit
