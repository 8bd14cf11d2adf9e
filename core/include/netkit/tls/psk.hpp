// Pre-shared keys by identity, read from a file.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// An identity is a name: 1 to 64 bytes of visible text, without leading or trailing white space.
// Why `name` is not one, as half a sentence: "is longer than 64 bytes"; empty if it is one.
NETKIT_API std::string_view why_not_an_identity(std::string_view name);

// The bytes of a key, which are wiped on destruction.
class NETKIT_API PskKey {
 public:
  static constexpr std::size_t kShortest = 16;
  static constexpr std::size_t kLongest = 64;

  PskKey() = default;
  explicit PskKey(std::string bytes) : bytes_(std::move(bytes)) {}
  PskKey(const PskKey&) = default;
  // A key is too long for the string's inline buffer, so moving leaves no copy behind.
  PskKey(PskKey&& other) noexcept = default;
  PskKey& operator=(const PskKey& other);
  PskKey& operator=(PskKey&& other) noexcept;
  ~PskKey();

  std::string_view bytes() const { return bytes_; }
  // In constant time for keys of one length.
  friend bool operator==(const PskKey& a, const PskKey& b) { return a.same(b); }

 private:
  bool same(const PskKey& other) const;
  void wipe();
  std::string bytes_;
};

// The content of a key file: a line `IDENTITY:HEXKEY` for each, the key of 16 to 64 bytes; empty
// lines and those that begin with # are ignored. Reading: any thread.
class NETKIT_API PskKeys {
 public:
  // Throws Error (ExitStatus::config) that names the file, the line and what would be right; never
  // the key. A file that others may read is refused, and so is one owned by this user that its
  // group may read.
  static PskKeys load(const std::string& path);
  // The same for a file's content; `file` is for messages.
  static PskKeys parse(std::string_view text, std::string_view file);

  const PskKey* find(std::string_view identity) const;  // null: not there
  std::size_t size() const { return keys_.size(); }
  // By identity.
  const std::map<std::string, PskKey, std::less<>>& all() const { return keys_; }

 private:
  std::map<std::string, PskKey, std::less<>> keys_;
};

// Whether both have the same key for `identity`; if not, peers that used the one in `before` are
// revoked.
NETKIT_API bool have_same_key(const PskKeys& before, const PskKeys& now, std::string_view identity);

// A line of such a file with a new random key of 32 bytes, without its newline.
NETKIT_API std::string new_psk_line(std::string_view identity);

// One of a client's keys, with its identity.
struct PskIdentity {
  std::string name;
  PskKey key;
};
// The key of a client called `name`; for a client without a name, the only one in `keys`.
// Throws Error (ExitStatus::config); `file` is for the message, which ends with `or_else` if there
// are several: "; select one with --name".
NETKIT_API PskIdentity choose_identity(const PskKeys& keys, std::string_view name,
                                       std::string_view file, std::string_view or_else = {});

}  // namespace netkit
