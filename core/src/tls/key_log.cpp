#include "tls/key_log.hpp"

#include "tls/tls_library.hpp"

#include <memory>
#include <string>

#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit::tls {
namespace {

// Of the process, as the environment is; whole lines, so several contexts may write.
AppendFile* key_log() {
  static const std::unique_ptr<AppendFile> file = []() -> std::unique_ptr<AppendFile> {
    const char* const path = key_log_path();
    if (path == nullptr) return nullptr;
    auto opened = std::make_unique<AppendFile>();
    if (const int error = opened->open(path); error != 0) {
      throw SystemError(error, std::string("SSLKEYLOGFILE: cannot write '") + path + "'",
                        ExitStatus::output);
    }
    return opened;
  }();
  return file.get();
}

void append(const SSL* /*ssl*/, const char* line) {
  static_cast<void>(key_log()->append(std::string(line) + "\n"));
}

}  // namespace

void log_keys(SSL_CTX* context) {
  if (key_log() != nullptr) SSL_CTX_set_keylog_callback(context, append);
}

}  // namespace netkit::tls
