// `sse serve --replay`: the answers of a recording, chunk for chunk with their times.
#pragma once

#include <cstdint>
#include <memory>
#include <sse/fault_stream.hpp>
#include <sse/response_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/record/recording.hpp>

namespace netkit::sse {

// What is in a recording; its bytes stay in the file. [one thread]
class Recording {
 public:
  struct Answer {
    std::uint64_t run = 0;
    std::uint64_t connection = 0;
    std::string path{};  // that was asked for
    int status = 0;
    std::string content_type{};
    std::string content_encoding{};  // empty: none
  };

  // Reads through the file. Throws SystemError, and Error for what is no recording, or has no
  // answer in it.
  explicit Recording(std::string path);

  // The first answer for that path, else the only one there is; null: neither.
  const Answer* find(std::string_view path) const;
  RecordingPlayer play(TimePoint now) const;

 private:
  std::string path_;
  std::vector<Answer> answers_;
};

// Sends the body of an answer as it came: from its first byte on, `speed` times as fast (0: at
// once). An answer that was cut off is cut off here. [loop]
class ReplayStream final : public FaultStream, private ResponseReader::Handler {
 public:
  struct Options {
    double speed = 1;
    Faults faults{};
  };

  // All outlive it. `last_event_id`: begin after that event; at the beginning where there is none
  // with that id, as for a reader that comes from another server.
  ReplayStream(EventLoop& loop, const Recording& recording, const Recording::Answer& answer,
               const Options& options, std::string_view last_event_id);

 private:
  void on_open() override;
  void on_drained() override { send(); }
  void on_gone() override { timer_.reset(); }
  void on_head(const ResponseReader::Head& head) override;
  void on_body(std::string_view bytes) override { put(bytes); }
  void send();
  bool begin_again();
  bool is_mine(const RecordedBytes& record) const;
  TimePoint due(const RecordedBytes& record);

  EventLoop& loop_;
  const Recording& recording_;
  const Recording::Answer& answer_;
  const Options& options_;
  RecordingPlayer player_;
  ResponseReader reader_;
  Timer timer_;
  TimePoint begin_ = TimePoint::max();  // when the first byte was sent
  Duration first_{};                    // its time in the recording
};

}  // namespace netkit::sse
