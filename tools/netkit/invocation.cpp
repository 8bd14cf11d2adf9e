#include "invocation.hpp"

#include <array>
#include <string_view>

#include <netkit/util/error.hpp>
#include <netkit/util/suggest.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  explicit Reader(std::span<const std::string> words) : words_(words) {}

  Invocation run() {
    while (at_ < words_.size() && words_[at_].size() > 1 && words_[at_][0] == '-') {
      const std::string& word = words_[at_++];
      if (word == "--") break;
      take(word);
    }
    out_.words.assign(words_.begin() + static_cast<std::ptrdiff_t>(at_), words_.end());
    return std::move(out_);
  }

 private:
  void take(const std::string& word) {
    const std::string name = word.substr(0, word.find('='));
    if (name == "--plugin-dir") {
      const fs::path folder = value(word, name);
      if (!fs::is_directory(folder)) {
        throw UsageError("--plugin-dir: '" + escaped_text(folder.string()) + "' is not a folder");
      }
      out_.plugin_dirs.push_back(folder);
    } else if (name == "--config") {
      out_.config = value(word, name);
    } else if (word == "--help" || word == "-h") {
      out_.help = word == "-h" ? HelpWish::brief : HelpWish::full;
    } else if (word == "--version" || word == "-V") {
      out_.version = true;
    } else {
      unknown(name);
    }
  }

  std::string value(const std::string& word, const std::string& name) {
    if (word.size() > name.size()) return word.substr(name.size() + 1);
    if (at_ == words_.size()) throw UsageError(name + " needs a value");
    return words_[at_++];
  }

  [[noreturn]] static void unknown(const std::string& name) {
    constexpr std::array<std::string_view, 4> kNames{"--plugin-dir", "--config", "--help",
                                                     "--version"};
    throw UsageError("unknown option '" + escaped_text(name) +
                     "' before the command; a command's own options come after it" +
                     did_you_mean(name, kNames));
  }

  std::span<const std::string> words_;
  std::size_t at_ = 0;
  Invocation out_;
};

}  // namespace

Invocation read_invocation(std::span<const std::string> words) {
  return Reader(words).run();
}

}  // namespace netkit
