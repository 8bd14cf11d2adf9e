// Preloaded into a program under test: names that resolve to what NETKIT_TEST_NAMES says, which is
// NAME=ADDRESS,ADDRESS and more of them after a blank. Everything else is left to the system. What
// resolves to `never` waits for it for ever, and says so on stderr.
#include <cstdlib>
#include <dlfcn.h>
#include <netdb.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);

std::string addresses_of(std::string_view host) {
  const char* all = std::getenv("NETKIT_TEST_NAMES");
  const std::string names = std::string(" ") + (all != nullptr ? all : "") + " ";
  const std::string wanted = " " + std::string(host) + "=";
  const std::size_t at = names.find(wanted);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + wanted.size();
  return names.substr(begin, names.find(' ', begin) - begin);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* host,
                                                                  const char* service,
                                                                  const addrinfo* hints,
                                                                  addrinfo** result) {
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  std::string addresses = addresses_of(host != nullptr ? host : "");
  if (addresses.empty()) return real(host, service, hints, result);
  if (addresses == "never") {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, "resolving\n", 10);
    while (true) ::pause();
  }
  addrinfo** end = result;
  while (!addresses.empty()) {
    const std::size_t comma = addresses.find(',');
    if (const int code = real(addresses.substr(0, comma).c_str(), service, hints, end); code != 0) {
      return code;
    }
    while (*end != nullptr) end = &(*end)->ai_next;
    addresses.erase(0, comma == std::string::npos ? comma : comma + 1);
  }
  return 0;
}
