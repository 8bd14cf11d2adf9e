#include "record/stream_sinks.hpp"

#include <cerrno>
#include <utility>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::size_t kLarge =
    std::size_t{64} * 1024;                     // bytes that do not wait for the end of the turn
constexpr std::size_t kKeptCapacity = 1 << 20;  // a larger buffer is given back

}  // namespace

void StreamSink::take(const Record& record) {
  if (closed_) return;
  formatter_->format(record, buffer_);
  if (buffer_.size() > kLarge) flush();
}

void StreamSink::take_end(std::string_view line) {
  if (json_) take_bytes(line);
}

void StreamSink::take_bytes(std::string_view bytes) {
  if (closed_) return;
  buffer_ += bytes;
  if (buffer_.size() > kLarge) flush();
}

void StreamSink::flush() {
  if (buffer_.empty()) return;
  write_out(buffer_);
  if (buffer_.empty() && buffer_.capacity() > kKeptCapacity) std::string().swap(buffer_);
}

void StreamSink::close() {
  closed_ = true;
  std::string().swap(buffer_);
}

void StdoutSink::redirect(std::function<void(std::string_view)> writer) {
  flush();
  callbacks_.redirected = std::move(writer);
}

void StdoutSink::set_before_write(std::function<void()> callback) {
  callbacks_.before_write = std::move(callback);
}

void StdoutSink::write_out(std::string& buffer) {
  if (callbacks_.redirected) {
    callbacks_.redirected(buffer);
    buffer.clear();
    return;
  }
  if (callbacks_.before_write) callbacks_.before_write();
  const int error = writer_.write(buffer);
  // What is left waits until the loop has seen why.
  if (error == 0 || error == EINTR || (error == ETIMEDOUT && !final_)) return;
  const std::size_t lost = buffer.size();
  close();
  if (error == EPIPE) return callbacks_.reader_gone();
  std::string what = "cannot write to standard output: ";
  if (error == ETIMEDOUT) {
    what += "its reader does not read; " + std::to_string(lost) + " bytes are lost";
  } else {
    what += error_text(error);
  }
  callbacks_.failed(ExitStatus::output, what);
}

FileSink::FileSink(std::unique_ptr<Formatter> formatter, bool json, const std::string& path,
                   SinkFailure failed)
    : StreamSink(std::move(formatter), json), path_(path), failed_(std::move(failed)) {
  if (const int error = file_.open(path); error != 0) {
    throw SystemError(error, "--to: cannot open '" + path + "'");
  }
}

void FileSink::write_out(std::string& buffer) {
  const int error = file_.append(buffer);
  if (error == 0) return buffer.clear();
  close();
  failed_(ExitStatus::output, "cannot write to '" + path_ + "': " + error_text(error));
}

}  // namespace netkit
