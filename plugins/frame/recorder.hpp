// `--record FILE`: what goes over connections, with its times, as it happens.
#pragma once

#include <cstdint>
#include <frame/recording.hpp>
#include <string>
#include <string_view>

#include <netkit/plugin/host.hpp>
#include <netkit/util/append_file.hpp>

namespace netkit::frame {

// [loop] Without a path it does nothing. A write that fails ends the run with a message and 74.
class Recorder {
 public:
  // Opens the file for appending and begins a run. Throws SystemError.
  Recorder(Host& host, const std::string& path);

  bool active() const { return file_.is_open(); }
  std::uint64_t next_connection() { return ++connections_; }
  void record(std::uint64_t connection, Direction direction, std::string_view bytes);

 private:
  void append();

  Host* host_;
  std::string path_;
  AppendFile file_;
  std::string line_;
  TimePoint start_;
  std::uint64_t connections_ = 0;
};

}  // namespace netkit::frame
