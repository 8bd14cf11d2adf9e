#include "util/write_all.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include <netkit/util/atomic_file.hpp>
#include <netkit/util/file_descriptor.hpp>

namespace netkit {
namespace {

std::string resolve_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? std::string(real.get()) : path;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

int write_in_place(const std::string& path, std::string_view content) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  return fd ? write_all(fd.get(), content) : errno;
}

int write_and_sync(int fd, std::string_view content) {
  if (const int error = write_all(fd, content); error != 0) return error;
  return ::fsync(fd) == 0 ? 0 : errno;
}

// The new name lasts only once the folder is on the disk as well. Some file systems cannot sync a
// folder; the content is safe there as far as it can be.
void sync_folder(const std::string& folder) {
  const FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

int write_file_atomically(const std::string& path, std::string_view content) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return write_in_place(path, content);
  }
  const std::string target = resolve_links(path);
  std::string temporary = target + ".XXXXXX";
  FileDescriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));  // makes it 0600
  if (!fd) return errno;
  int error = write_and_sync(fd.get(), content);
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    return error;
  }
  sync_folder(folder_of(target));
  return 0;
}

}  // namespace netkit
