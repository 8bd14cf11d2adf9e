// Preloaded: lets one allocation of a program fail, which the test chooses while the program runs.
// NETKIT_TEST_MEMORY names a file of three 64-bit numbers that both map: how many allocations there
// were, which one of them is to fail (0: none), and how many have failed.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>

// The C library's own, under the names that stay when these here take the usual ones.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

struct Shared {
  std::atomic<std::uint64_t> count;
  std::atomic<std::uint64_t> fails;
  std::atomic<std::uint64_t> failed;
};
Shared* shared = nullptr;

__attribute__((constructor)) void map_shared() {
  const char* path = std::getenv("NETKIT_TEST_MEMORY");
  if (path == nullptr) return;
  const int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory != MAP_FAILED) shared = static_cast<Shared*>(memory);
}

bool fails() {
  if (shared == nullptr) return false;
  if (shared->count.fetch_add(1) + 1 != shared->fails.load()) return false;
  shared->failed.fetch_add(1);
  errno = ENOMEM;
  return true;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void* malloc(std::size_t size) {
  return fails() ? nullptr : __libc_malloc(size);
}
__attribute__((visibility("default"))) void* calloc(std::size_t count, std::size_t size) {
  return fails() ? nullptr : __libc_calloc(count, size);
}
__attribute__((visibility("default"))) void* realloc(void* old, std::size_t size) {
  return fails() ? nullptr : __libc_realloc(old, size);
}
__attribute__((visibility("default"))) void* aligned_alloc(std::size_t alignment,
                                                           std::size_t size) {
  return fails() ? nullptr : __libc_memalign(alignment, size);
}
__attribute__((visibility("default"))) int posix_memalign(void** result, std::size_t alignment,
                                                          std::size_t size) {
  if (fails()) return ENOMEM;
  *result = __libc_memalign(alignment, size);
  return *result == nullptr ? ENOMEM : 0;
}

}  // extern "C"
