// Sinks that take bytes in their order: standard output and files.
#pragma once

#include "record/formatter.hpp"
#include "record/sink.hpp"
#include "util/byte_parts.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/file.hpp>

namespace netkit {

// Gathers the output of one turn of the loop; a large buffer is written at once.
class NETKIT_API StreamSink : public Sink {
 public:
  StreamSink(std::unique_ptr<Formatter> formatter, bool json)
      : formatter_(std::move(formatter)), json_(json) {}
  void take(const Record& record) final;
  void take_end(std::string_view line) final;
  void flush() final;
  void take_bytes(std::string_view bytes);
  bool has_unwritten() const { return written_ < buffer_.size(); }
  bool is_open() const { return !closed_; }  // until nothing is taken any more
  bool is_written() const final { return !closed_ && !has_unwritten(); }

 protected:
  // Writes `bytes` and says how many of them need not be written again.
  virtual std::size_t write_out(const ByteParts& bytes) = 0;
  // Nothing is taken any more.
  void close();

 private:
  void take_large(std::string_view bytes, std::string_view end);
  void trim();

  std::unique_ptr<Formatter> formatter_;
  std::string buffer_;
  std::size_t written_ = 0;  // of the buffer
  bool json_;
  bool closed_ = false;
};

// A reader that does not read must not keep netkit from ending when it is told to. A pipe is
// written to through a separate open file description, which is non-blocking (stdout's is shared
// with other programs and stays as it is), a socket without waiting, and while either is full,
// `stop_fd` is watched as well.
// [one thread]
class NETKIT_API StdoutWriter {
 public:
  // Both descriptors stay the caller's. `stop_fd` is readable when the run was told to stop; -1:
  // none.
  StdoutWriter(int fd, int stop_fd, const Clock& clock);

  // What became of a write: how many bytes are written, and 0 or an errno.
  struct Result {
    std::size_t written = 0;
    int error = 0;
  };
  // Writes what the reader of a pipe or a socket has room for: EAGAIN if that is not everything.
  // Anything else is waited for.
  Result write_some(ByteParts content);
  // Writes all of `content`, or says why not: EINTR when the run was told to stop while nobody
  // read, ETIMEDOUT when the deadline passed meanwhile, EPIPE when nobody will read any more,
  // ENOSPC and others.
  Result write_all(ByteParts content);
  // Writable when there is room again.
  int fd() const { return fd_; }
  // Whether it has a reader who may be slow, and may go.
  bool has_reader() const { return own_ || is_socket_; }
  // No wait for a reader lasts longer; TimePoint::max() is never.
  void set_deadline(TimePoint deadline) { deadline_ = deadline; }
  // From now on the deadline is what this is after the reader took something.
  void set_patience(Duration patience);

 private:
  int wait() const;

  int fd_;
  int stop_fd_;
  const Clock& clock_;
  FileDescriptor own_;
  bool is_socket_;
  TimePoint deadline_ = TimePoint::max();
  Duration patience_ = kNever;
};

// A slow reader holds nobody up at first: what it has no room for is kept, up to a limit, while the
// loop continues; beyond that it is waited for.
class NETKIT_API StdoutSink final : public StreamSink {
 public:
  struct Callbacks {
    SinkFailure failed;
    std::function<void()> reader_gone;  // EPIPE
    // Takes what would be written instead, where set: a line editor prints it above its prompt.
    std::function<void(std::string_view)> redirected;
    std::function<void()> before_write;  // may be empty: the live line makes room
    std::function<void()> blocked;       // the reader has no room; see is_blocked()
  };
  StdoutSink(std::unique_ptr<Formatter> formatter, bool json, StdoutWriter writer,
             Callbacks callbacks)
      : StreamSink(std::move(formatter), json),
        writer_(std::move(writer)),
        callbacks_(std::move(callbacks)) {}
  void redirect(std::function<void(std::string_view)> writer);
  void set_before_write(std::function<void()> callback);
  // No wait for the reader lasts longer. With `final` what is not written then is lost; before, it
  // is kept for later.
  void set_deadline(TimePoint deadline, bool final) {
    writer_.set_deadline(deadline);
    final_ = final;
  }
  // When the reader has taken nothing for `patience`, what is not written is lost.
  void set_patience(Duration patience) {
    writer_.set_patience(patience);
    final_ = true;
  }
  // Whether the reader had no room for all of it. flush() does nothing then, but for what is over
  // the limit; unblock() is for when writable_fd() is writable.
  bool is_blocked() const { return blocked_; }
  int writable_fd() const { return writer_.fd(); }
  bool has_reader() const { return writer_.has_reader(); }
  // The reader has gone: as EPIPE, but before anything is written.
  void lose_reader();
  void unblock();
  // Writes all there is, however long the reader takes.
  void flush_all();

 private:
  std::size_t write_out(const ByteParts& bytes) override;
  void fail(int error, std::size_t lost);

  StdoutWriter writer_;
  Callbacks callbacks_;
  bool final_ = false;
  bool blocked_ = false;
  bool patient_ = false;  // in flush_all()
};

// `file:PATH`.
class FileSink final : public StreamSink {
 public:
  // Throws SystemError.
  FileSink(std::unique_ptr<Formatter> formatter, bool json, const std::string& path,
           SinkFailure failed);

 private:
  std::size_t write_out(const ByteParts& bytes) override;
  AppendFile file_;
  std::string path_;
  SinkFailure failed_;
};

}  // namespace netkit
