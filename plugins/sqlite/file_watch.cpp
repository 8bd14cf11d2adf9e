#include <array>
#include <sqlite/file_watch.hpp>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace netkit::sqlite {

namespace {

constexpr Duration kSoon = std::chrono::milliseconds(2);
// A disk that stalls may take as long to write a transaction that is in the log already.
constexpr Duration kLast = std::chrono::minutes(5);
constexpr Duration kWithoutWatch = std::chrono::milliseconds(50);

}  // namespace

FileWatch::FileWatch(EventLoop& loop, const std::string& log, std::function<void()> look)
    : loop_(loop), look_(std::move(look)), inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!inotify_ || ::inotify_add_watch(inotify_.get(), log.c_str(), IN_MODIFY) < 0) {
    timer_ = loop_.every(kWithoutWatch, look_);
    return;
  }
  watch_ = loop_.watch(inotify_.get(), Interest::read, [this](Ready) { on_write(); });
}

void FileWatch::on_write() {
  std::array<char, 4096> events{};
  while (::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
  look_again(kSoon);
}

void FileWatch::look_again(Duration delay) {
  timer_ = loop_.after(delay, [this, delay] {
    look_();
    if (delay < kLast) look_again(delay * 3);
  });
}

}  // namespace netkit::sqlite
