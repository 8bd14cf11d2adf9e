#include <frame/recorder.hpp>

#include <netkit/util/error.hpp>

namespace netkit::frame {

Recorder::Recorder(Host& host, const std::string& path)
    : host_(&host), path_(path), start_(host.clock().now()) {
  if (path_.empty()) return;
  if (const int error = file_.open(path_); error != 0) {
    throw SystemError(error, "cannot record to '" + path_ + "'", ExitStatus::output);
  }
  append_recording_header(line_);
  if (const int error = file_.append(line_); error != 0) {
    throw SystemError(error, "cannot record to '" + path_ + "'", ExitStatus::output);
  }
}

void Recorder::record(std::uint64_t connection, Direction direction, std::string_view bytes) {
  if (!file_.is_open() || bytes.empty()) return;
  line_.clear();
  append_recorded(line_, host_->clock().now() - start_, connection, direction, bytes);
  append();
}

void Recorder::append() {
  const int error = file_.append(line_);
  if (error == 0) return;
  file_.close();
  host_->finish(ExitStatus::output, "cannot record to '" + path_ + "': " + error_text(error));
}

}  // namespace netkit::frame
