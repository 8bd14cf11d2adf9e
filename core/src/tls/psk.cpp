#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/tls/psk.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kMaxFile = 16u << 20;
constexpr std::size_t kLongestIdentity = 64;
constexpr std::size_t kNewKey = 32;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ExitStatus::config, message);
}

// Like ssh: nobody but the owner may read it. A file of another user, such as root, may be readable
// by a group that this user belongs to.
void check_permissions(int fd, const std::string& path) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) {
    refuse(fmt::format("cannot read the key file '{}': {}", path, error_text(errno)));
  }
  if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) {
    refuse(fmt::format("the key file '{}' is not a regular file", path));
  }
  const bool own = status.st_uid == ::geteuid();
  if ((status.st_mode & (own ? S_IRWXG | S_IRWXO : S_IRWXO)) == 0) return;
  refuse(fmt::format("others may read the key file '{}': run chmod 600 {}", path, path));
}

struct Line {
  std::string_view file;
  std::size_t number = 0;
  std::string_view identity{};

  [[noreturn]] void refuse(std::string_view why) const {
    netkit::refuse(fmt::format("the key file '{}', line {}: {}", file, number, why));
  }
  [[noreturn]] void refuse_key(std::string_view why) const {
    refuse(fmt::format("the key of '{}' {}; 'netkit psk {}' makes one", identity, why, identity));
  }
};

PskKey read_key(std::string_view digits, const Line& line) {
  const bool are_digits =
      std::ranges::all_of(digits, [](char digit) { return hex_value(digit) >= 0; });
  if (!are_digits) line.refuse_key("is not hexadecimal (a password is not a key)");
  if (digits.size() % 2 != 0) line.refuse_key("has an odd number of digits");
  if (digits.size() < 2 * PskKey::kShortest) {
    line.refuse_key(fmt::format("is shorter than {} bytes", PskKey::kShortest));
  }
  if (digits.size() > 2 * PskKey::kLongest) {
    line.refuse_key(fmt::format("is longer than {} bytes", PskKey::kLongest));
  }
  return PskKey(*decode_hex(digits));
}

}  // namespace

std::string_view why_not_an_identity(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kLongestIdentity) return "is longer than 64 bytes";
  if (!is_valid_utf8(name)) return "is not UTF-8";
  if (trim_white_space(name).size() != name.size()) return "begins or ends with white space";
  if (name.front() == '#') return "begins with #";
  if (!is_shown_unchanged(name, false) || name.find('\t') != name.npos || has_unseen(name)) {
    return "has invisible characters";
  }
  return {};
}

PskKey& PskKey::operator=(const PskKey& other) {
  if (this == &other) return *this;
  wipe();
  bytes_ = other.bytes_;
  return *this;
}

PskKey& PskKey::operator=(PskKey&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  bytes_ = std::move(other.bytes_);
  return *this;
}

PskKey::~PskKey() {
  wipe();
}

void PskKey::wipe() {
  if (!bytes_.empty()) OPENSSL_cleanse(bytes_.data(), bytes_.size());
  bytes_.clear();
}

bool PskKey::same(const PskKey& other) const {
  return bytes_.size() == other.bytes_.size() &&
         CRYPTO_memcmp(bytes_.data(), other.bytes_.data(), bytes_.size()) == 0;
}

PskKeys PskKeys::load(const std::string& path) {
  // A named pipe that nobody writes to is empty; waiting for it would stop a server that rereads
  // it.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file) refuse(fmt::format("cannot read the key file '{}': {}", path, error_text(errno)));
  ::fcntl(file.get(), F_SETFL, 0);
  check_permissions(file.get(), path);
  FileContent content = read_file(file.get(), kMaxFile);
  if (content.error != 0) {
    refuse(fmt::format("cannot read the key file '{}': {}", path, error_text(content.error)));
  }
  PskKeys keys = parse(content.bytes, path);
  OPENSSL_cleanse(content.bytes.data(), content.bytes.size());
  return keys;
}

PskKeys PskKeys::parse(std::string_view text, std::string_view file) {
  PskKeys keys;
  Line line{file};
  while (!text.empty()) {
    ++line.number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view entry = trim_white_space(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (entry.empty() || entry.front() == '#') continue;
    const std::size_t colon = entry.rfind(':');
    // The text may be a key, so it is not repeated.
    if (colon == entry.npos) line.refuse("write IDENTITY:HEXKEY");
    line.identity = entry.substr(0, colon);
    const std::string_view why = why_not_an_identity(line.identity);
    if (!why.empty()) line.refuse(fmt::format("the identity {}", why));
    PskKey key = read_key(entry.substr(colon + 1), line);
    if (!keys.keys_.emplace(line.identity, std::move(key)).second) {
      line.refuse(fmt::format("'{}' already has a key", line.identity));
    }
  }
  if (keys.keys_.empty()) {
    refuse(fmt::format("the key file '{}' holds no key; 'netkit psk NAME' makes one", file));
  }
  return keys;
}

const PskKey* PskKeys::find(std::string_view identity) const {
  const auto found = keys_.find(identity);
  return found == keys_.end() ? nullptr : &found->second;
}

bool have_same_key(const PskKeys& before, const PskKeys& now, std::string_view identity) {
  const PskKey* const old = before.find(identity);
  const PskKey* const current = now.find(identity);
  return old != nullptr && current != nullptr && *old == *current;
}

std::string new_psk_line(std::string_view identity) {
  std::string key(kNewKey, '\0');
  fill_random(key.data(), key.size());
  return fmt::format("{}:{}", identity, encode_hex(key));
}

PskIdentity choose_identity(const PskKeys& keys, std::string_view name, std::string_view file,
                            std::string_view or_else) {
  const auto& [first, first_key] = *keys.all().begin();
  if (name.empty() && keys.size() == 1) return {first, first_key};
  if (name.empty()) {
    refuse(fmt::format("the key file '{}' has {} keys, and a client needs one{}", file, keys.size(),
                       or_else));
  }
  if (const PskKey* key = keys.find(name)) return {std::string(name), *key};
  refuse(fmt::format("the key file '{}' has no key of '{}'{}", file, name,
                     keys.size() == 1 ? fmt::format(", only that of '{}'", first) : ""));
}

}  // namespace netkit
