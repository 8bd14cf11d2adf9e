// The executable. It answers `--version` itself, before any library but libc is loaded; everything
// else is netkit_main()'s.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>

#include <netkit/version.hpp>

#ifndef NETKIT_MAIN_LIBRARY
extern "C" int netkit_main(int argc, char** argv);
#endif

namespace {

int print_version() {
  const bool failed = std::puts("netkit " NETKIT_VERSION) < 0 || std::fflush(stdout) != 0;
  if (failed && errno == EPIPE) return 128 + SIGPIPE;  // quietly, should the signal be blocked
  if (failed) std::perror("netkit: cannot write to standard output");
  return failed ? 74 : 0;
}

#ifdef NETKIT_MAIN_LIBRARY
int netkit_main(int argc, char** argv) {
  // Found by this executable's run path; bound lazily, since most runs call little of it.
  void* library = ::dlopen(NETKIT_MAIN_LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  void* symbol = library == nullptr ? nullptr : ::dlsym(library, "netkit_main");
  if (symbol == nullptr) {
    std::fprintf(stderr, "netkit: the installation is broken: %s\n", ::dlerror());
    return 70;
  }
  return reinterpret_cast<int (*)(int, char**)>(symbol)(argc, argv);
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const bool asks_version =
      argc == 2 && (std::strcmp(argv[1], "--version") == 0 || std::strcmp(argv[1], "version") == 0);
  return asks_version ? print_version() : netkit_main(argc, argv);
}
