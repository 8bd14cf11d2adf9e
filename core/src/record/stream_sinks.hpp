// Sinks that take bytes in their order: standard output and files.
#pragma once

#include "record/formatter.hpp"
#include "record/sink.hpp"
#include "record/stdout_writer.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/util/append_file.hpp>

namespace netkit {

// Gathers what one turn of the loop has to say; a large buffer goes out at once.
class StreamSink : public Sink {
 public:
  StreamSink(std::unique_ptr<Formatter> formatter, bool json)
      : formatter_(std::move(formatter)), json_(json) {}
  void take(const Record& record) final;
  void take_end(std::string_view line) final;
  void flush() final;
  void take_bytes(std::string_view bytes);
  bool has_unwritten() const { return !buffer_.empty(); }

 protected:
  // Writes the buffer and empties it, or keeps in it what is still to be written.
  virtual void write_out(std::string& buffer) = 0;
  // Nothing is taken any more.
  void close();

 private:
  std::unique_ptr<Formatter> formatter_;
  std::string buffer_;
  bool json_;
  bool closed_ = false;
};

class StdoutSink final : public StreamSink {
 public:
  struct Callbacks {
    SinkFailure failed;
    std::function<void()> reader_gone;  // EPIPE
    // Takes what would be written instead, where set: a line editor prints it above its prompt.
    std::function<void(std::string_view)> redirected;
    std::function<void()> before_write;  // may be empty: the live line makes room
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

 private:
  void write_out(std::string& buffer) override;
  StdoutWriter writer_;
  Callbacks callbacks_;
  bool final_ = false;
};

// `file:PATH`.
class FileSink final : public StreamSink {
 public:
  // Throws SystemError.
  FileSink(std::unique_ptr<Formatter> formatter, bool json, const std::string& path,
           SinkFailure failed);

 private:
  void write_out(std::string& buffer) override;
  AppendFile file_;
  std::string path_;
  SinkFailure failed_;
};

}  // namespace netkit
