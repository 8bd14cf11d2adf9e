// `sse read`: events of one or more URLs as records.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <regex>
#include <sse/json_select.hpp>
#include <sse/state_file.hpp>
#include <sse/stream_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/plugin/plugin.hpp>

namespace netkit::sse {

class ReadCommand final : public Command, public StreamReader::Handler {
 public:
  void configure(const Values& values) override;
  ExitStatus run(Host& host) override;

 private:
  bool on_stream_event(const StreamReader& stream, const Event& event) override;
  void on_stream_comment(const StreamReader& stream, std::string_view text) override;
  bool on_stream_bytes() override;
  void on_stream_end(const StreamReader& stream, ExitStatus status,
                     const std::string& message) override;

  void configure_stream(const Values& values);
  void open_streams(CurlLoop& curl, Recorder& recorder);
  bool is_among_types(std::string_view type) const;
  bool matches_until(std::string_view data) const;
  void fill_totals(Totals& totals) const;
  void fill_timing(Totals& totals) const;
  void stop();
  void keep_state();
  std::string write_state();  // an error, or empty

  std::vector<std::string> urls_;
  std::vector<std::string> types_;
  RequestOptions request_;
  StreamOptions stream_;
  std::optional<std::string> last_event_id_;
  std::optional<std::regex> until_;
  std::uint64_t count_ = 0;  // 0: without end
  std::optional<JsonSelection> select_;
  std::optional<std::string> done_;  // the data that say so

  Host* host_ = nullptr;
  Output* output_ = nullptr;  // the host's
  std::vector<std::unique_ptr<StreamReader>> streams_;
  std::optional<StateFile> state_;
  Timer state_timer_;
  WallTime now_{};
  // Made once: only what differs from one event to the next is set.
  std::array<Field, 3> event_fields_{Field{"event", std::string_view()},
                                     Field{"id", std::string_view()},
                                     Field{"url", std::string_view()}};
  Record event_{.type = "event", .fields = event_fields_};
  std::size_t ended_ = 0;
  std::size_t failed_ = 0;                // of those that ended
  ExitStatus status_ = ExitStatus::done;  // of the first that failed
  std::string first_failure_;
  std::uint64_t events_ = 0;
  std::uint64_t filtered_ = 0;
  std::uint64_t unselected_ = 0;
  std::uint64_t comments_ = 0;
};

}  // namespace netkit::sse
