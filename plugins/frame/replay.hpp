// `frame replay`: a recording, when it is due.
#pragma once

#include <cstdint>
#include <deque>
#include <frame/frame_printer.hpp>
#include <frame/recording.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/tcp_connector.hpp>
#include <netkit/net/tcp_stream.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/file_descriptor.hpp>

namespace netkit::frame {

struct ReplayOptions {
  std::string file;
  std::optional<AddressSpec> target;  // none: print the recording
  double speed = 1;                   // 0: without waiting
  Duration wait = std::chrono::seconds(5);
  Duration connect_timeout = std::chrono::seconds(10);
  CodecSpec codec;
  std::uint64_t max_frame = 1U << 20U;
};

class Replay {
 public:
  // Opens the file; throws SystemError.
  Replay(Host& host, ReplayOptions options);
  ~Replay();

 private:
  class Connection;
  using Key = std::pair<std::uint64_t, std::uint64_t>;  // run, connection

  bool read_more();
  void play();
  void play_one(const RecordedBytes& record);
  void show(Direction direction, std::string_view content, std::uint64_t length,
            const Endpoint* peer);
  void end_of_file();
  void on_answer();
  void finish_if_done();
  void fail(ExitStatus status, const std::string& error) { host_.finish(status, error); }
  Connection& connection(const Key& key);
  TimePoint due(const RecordedBytes& record);

  Host& host_;
  ReplayOptions options_;
  FramePrinter printer_;
  FileDescriptor file_;
  RecordingReader reader_;
  std::deque<RecordedBytes> waiting_;
  std::map<Key, std::unique_ptr<Connection>> connections_;
  Timer timer_;
  Timer wait_timer_;
  TimePoint base_;  // when the run began
  TimePoint last_due_;
  std::uint64_t run_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t expected_ = 0;
  std::uint64_t received_ = 0;
  bool file_ended_ = false;
  bool all_played_ = false;
};

}  // namespace netkit::frame
