#include "record/stream_sinks.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kLarge =
    std::size_t{64} * 1024;  // bytes that do not wait for the end of the turn
constexpr std::size_t kDirect = std::size_t{16} * 1024;  // bytes that are not worth a copy
constexpr std::size_t kKeptCapacity = 1 << 20;           // a larger buffer is given back
constexpr std::size_t kMostUnread = 1 << 20;  // bytes kept for a reader before it is waited for

FileDescriptor reopen_pipe(int fd) {
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISFIFO(info.st_mode)) return {};
  const std::string path = fmt::format("/proc/self/fd/{}", fd);
  return FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

bool is_stream_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

void StreamSink::take(const Record& record) {
  if (closed_) return;
  if (record.payload && record.payload->size() >= kDirect) {
    const std::optional<std::string_view> end = formatter_->end_after_payload(record);
    if (end) return take_large(*record.payload, *end);
  }
  formatter_->format(record, buffer_);
  if (buffer_.size() > kLarge) flush();
}

void StreamSink::take_end(std::string_view line) {
  if (json_) take_bytes(line);
}

void StreamSink::take_bytes(std::string_view bytes) {
  if (closed_) return;
  if (bytes.size() >= kDirect) return take_large(bytes, {});
  buffer_ += bytes;
  if (buffer_.size() > kLarge) flush();
}

// What waits goes out with it; of it only what is not taken is copied.
void StreamSink::take_large(std::string_view bytes, std::string_view end) {
  const std::string_view waiting = std::string_view(buffer_).substr(written_);
  const std::size_t taken = write_out(ByteParts(waiting, bytes, end));
  if (closed_) return;
  written_ += std::min(taken, waiting.size());
  ByteParts rest(bytes, end);
  rest.remove_prefix(taken - std::min(taken, waiting.size()));
  trim();
  rest.append_to(buffer_);
}

void StreamSink::flush() {
  if (!has_unwritten()) return;
  const std::size_t taken = write_out(ByteParts(std::string_view(buffer_).substr(written_)));
  if (closed_) return;
  written_ += taken;
  trim();
}

// What is written leaves the buffer when that is all of it, or enough to be worth the move.
void StreamSink::trim() {
  if (written_ == buffer_.size()) {
    buffer_.clear();
    written_ = 0;
    if (buffer_.capacity() > kKeptCapacity) std::string().swap(buffer_);
  } else if (written_ > buffer_.size() / 2) {
    buffer_.erase(0, written_);
    written_ = 0;
  }
}

void StreamSink::close() {
  closed_ = true;
  written_ = 0;
  std::string().swap(buffer_);
}

StdoutWriter::StdoutWriter(int fd, int stop_fd, const Clock& clock)
    : fd_(fd),
      stop_fd_(stop_fd),
      clock_(clock),
      own_(reopen_pipe(fd)),
      is_socket_(is_stream_socket(fd)) {
  if (own_) fd_ = own_.get();
}

void StdoutWriter::set_patience(Duration patience) {
  patience_ = patience;
  deadline_ = saturating_add(clock_.now(), patience);
}

int StdoutWriter::wait() const {
  pollfd waits[2] = {{fd_, POLLOUT, 0}, {stop_fd_, POLLIN, 0}};
  int timeout = -1;
  if (deadline_ != TimePoint::max()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock_.now());
    if (left.count() <= 0) return ETIMEDOUT;
    timeout = static_cast<int>(std::min<std::int64_t>(left.count(), INT32_MAX));
  }
  const int ready = ::poll(waits, 2, timeout);
  if (ready < 0) return errno == EINTR ? 0 : errno;
  if (ready == 0) return ETIMEDOUT;
  if (waits[0].revents == 0 && waits[1].revents != 0) return EINTR;
  return 0;
}

StdoutWriter::Result StdoutWriter::write_some(ByteParts content) {
  Result result;
  while (result.error == 0 && content.size() > 0) {
    const ssize_t written = is_socket_ ? content.send_to(fd_) : content.write_to(fd_);
    if (written >= 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
      result.written += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      result.error = is_socket_ && errno == ECONNRESET ? EPIPE : errno;
    }
  }
  if (result.written > 0 && patience_ != kNever) set_patience(patience_);
  return result;
}

StdoutWriter::Result StdoutWriter::write_all(ByteParts content) {
  Result result;
  do {
    const Result some = write_some(content);
    content.remove_prefix(some.written);
    result.written += some.written;
    result.error = some.error == EAGAIN ? wait() : some.error;
  } while (result.error == 0 && content.size() > 0);
  return result;
}

void StdoutSink::redirect(std::function<void(std::string_view)> writer) {
  flush();
  callbacks_.redirected = std::move(writer);
}

void StdoutSink::set_before_write(std::function<void()> callback) {
  callbacks_.before_write = std::move(callback);
}

void StdoutSink::unblock() {
  blocked_ = false;
  flush();
}

void StdoutSink::lose_reader() {
  close();
  callbacks_.reader_gone();
}

void StdoutSink::flush_all() {
  patient_ = true;
  flush();
  patient_ = false;
}

std::size_t StdoutSink::write_out(const ByteParts& bytes) {
  if (callbacks_.redirected) {
    std::string room;
    callbacks_.redirected(bytes.in_one(room));
    return bytes.size();
  }
  const bool wait = patient_ || bytes.size() > kMostUnread;
  if (blocked_ && !wait) return 0;
  if (callbacks_.before_write) callbacks_.before_write();
  const StdoutWriter::Result result = wait ? writer_.write_all(bytes) : writer_.write_some(bytes);
  if (result.error == EAGAIN) {
    blocked_ = true;
    callbacks_.blocked();
    return result.written;
  }
  if (result.error != 0) fail(result.error, bytes.size() - result.written);
  return result.written;
}

void StdoutSink::fail(int error, std::size_t lost) {
  // What is left waits until the loop has seen why.
  if (error == EINTR || (error == ETIMEDOUT && !final_)) return;
  close();
  if (error == EPIPE) return callbacks_.reader_gone();
  const std::string why = error == ETIMEDOUT
                              ? fmt::format("the reader has stalled; {} bytes were lost", lost)
                              : error_text(error);
  callbacks_.failed(ExitStatus::output, fmt::format("cannot write to standard output: {}", why));
}

FileSink::FileSink(std::unique_ptr<Formatter> formatter, bool json, const std::string& path,
                   SinkFailure failed)
    : StreamSink(std::move(formatter), json), path_(path), failed_(std::move(failed)) {
  if (const int error = file_.open(path); error != 0) {
    throw SystemError(error, fmt::format("--to: cannot open '{}'", path));
  }
}

std::size_t FileSink::write_out(const ByteParts& bytes) {
  std::string room;
  const int error = file_.append(bytes.in_one(room));
  if (error == 0) return bytes.size();
  close();
  failed_(ExitStatus::output, fmt::format("cannot write to '{}': {}", path_, error_text(error)));
  return 0;
}

}  // namespace netkit
