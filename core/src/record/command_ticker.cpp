#include "record/command_ticker.hpp"

#include <cerrno>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {

CommandTicker::CommandTicker(Run& run, Sources::Handler& handler, const Sources::Options& options)
    : run_(run), handler_(handler), command_(options.exec), on_change_(options.on_change) {
  timer_ = run_.loop().every(options.every, [this] { tick(); });
}

void CommandTicker::resume() {
  paused_ = false;
  // Not from here: it may be called while a record is handled.
  if (waiting_) resumed_ = run_.loop().after(Duration::zero(), [this] { take(); });
}

void CommandTicker::tick() {
  if (paused_ || running_ || reading_ || waiting_) return;
  output_.clear();
  too_long_ = false;
  ProcessOptions process;
  process.shell_command = command_;
  process.pipe_stdout = true;
  process.own_group = true;
  try {
    process_ = Process::start(run_.loop(), process, [this](ProcessEnd end) { ended(end); });
  } catch (const Error& error) {
    run_.log().error(error.what());  // out of processes, say: the next turn may have better luck
    return;
  }
  running_ = reading_ = true;
  output_fd_ = process_->take_stdout();
  watch_ = run_.loop().watch(output_fd_.get(), Interest::read, [this](Ready) { read(); });
}

void CommandTicker::read() {
  const std::span<char> buffer = run_.loop().read_buffer();
  const ssize_t count = ::read(output_fd_.get(), buffer.data(), buffer.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) {
    const auto size = static_cast<std::size_t>(count);
    too_long_ = too_long_ || output_.size() + size > kMaxOutput + 1;
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
  waiting_ = paused_;
  if (waiting_) return;
  const bool is_new = std::exchange(last_status_, status_) != status_;
  if (status_ != 0) {
    const std::string line = fmt::format("--exec: the command ended with status {}", status_);
    is_new ? run_.log().notice(line) : run_.log().info(line);
    return;
  }
  if (output_.ends_with('\n')) output_.pop_back();
  if (too_long_ || output_.size() > kMaxOutput) {
    run_.log().error(fmt::format(
        "--exec: the command printed more than a record can hold ({} bytes)", kMaxOutput));
    return;
  }
  if (on_change_ && any_before_ && output_ == before_) return;
  before_ = output_;
  any_before_ = true;
  handler_.on_source_record(before_, run_.clock().wall());
}

}  // namespace netkit
