#include <cerrno>
#include <push/command_ticker.hpp>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit::push {

CommandTicker::CommandTicker(EventLoop& loop, const Log& log, Options options, OnRecord on_record)
    : loop_(loop), log_(log), options_(std::move(options)), on_record_(std::move(on_record)) {
  timer_ = loop_.every(options_.every, [this] { tick(); });
}

void CommandTicker::tick() {
  if (paused_ || running_ || reading_) return;
  output_.clear();
  too_long_ = false;
  ProcessOptions process;
  process.shell_command = options_.command;
  process.pipe_stdout = true;
  process.own_group = true;
  try {
    process_ = Process::start(loop_, process, [this](ProcessEnd end) { ended(end); });
  } catch (const Error& error) {
    log_.error(error.what());  // out of processes, say: the next turn may have better luck
    return;
  }
  running_ = reading_ = true;
  output_fd_ = process_->take_stdout();
  watch_ = loop_.watch(output_fd_.get(), Interest::read, [this](Ready) { read(); });
}

void CommandTicker::read() {
  const std::span<char> buffer = loop_.read_buffer();
  const ssize_t count = ::read(output_fd_.get(), buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) {
    const auto size = static_cast<std::size_t>(count);
    too_long_ = too_long_ || output_.size() + size > options_.max_size + 1;
    if (!too_long_) output_.append(buffer.data(), size);
    return;
  }
  watch_.reset();
  output_fd_.reset();
  reading_ = false;
  if (!running_) take();
}

void CommandTicker::ended(ProcessEnd end) {
  running_ = false;
  status_ = end.status;
  if (!reading_) take();
}

void CommandTicker::take() {
  if (status_ != 0) {
    log_.notice(fmt::format("--exec: the command ended with status {}", status_));
    return;
  }
  if (output_.ends_with('\n')) output_.pop_back();
  if (too_long_ || output_.size() > options_.max_size) {
    log_.error(fmt::format("--exec: the command printed more than a record holds ({} bytes)",
                           options_.max_size));
    return;
  }
  if (options_.on_change && any_before_ && output_ == before_) return;
  before_ = output_;
  any_before_ = true;
  on_record_(before_);
}

}  // namespace netkit::push
