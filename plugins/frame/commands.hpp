// The actions of frame, and what several of them read from their command line in the same way.
#pragma once

#include <cstdint>
#include <frame/message.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/codec/frame_codec.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::frame {

std::unique_ptr<Command> make_serve();
std::unique_ptr<Command> make_connect();
std::unique_ptr<Command> make_proxy();
std::unique_ptr<Command> make_encode();
std::unique_ptr<Command> make_decode();
std::unique_ptr<Command> make_replay();

// A command that is one object, `Work(host, options)`, which lives while the loop runs.
// `read_options(const Values&)` gives its options, or throws UsageError.
template <typename Work, auto read_options>
class LoopCommand final : public Command {
 public:
  void configure(const Values& values) override { options_.emplace(read_options(values)); }
  ExitStatus run(Host& host) override {
    const Work work(host, *options_);
    return host.run_loop();
  }

 private:
  std::optional<decltype(read_options(std::declval<const Values&>()))> options_;
};

// How frames are cut: --codec, --max-frame, --bad.
struct Cutting {
  CodecSpec codec{};
  std::uint64_t max_frame = 1U << 20U;
  BadCheck bad = BadCheck::pass;
  bool datagrams = false;  // each piece is one, and ends its frame

  FrameDecoder decoder() const { return {codec, max_frame, bad}; }
  // Calls `sink` for the frames that `data`, which came at `now`, completes.
  template <typename Sink>
  FrameError cut(FrameDecoder& decoder, TimePoint now, std::string_view data, Sink&& sink) const {
    const FrameError error = decoder.feed(now, data, sink).error;
    if (error || !datagrams) return error;
    decoder.finish(sink);
    return decoder.error();
  }
};

// Throws UsageError that names the option. `transport`: of what is to be cut.
Cutting read_cutting(const Values& values, Transport transport = Transport::tcp);

// What decoders counted, for the totals `bad_checks`, `bad_frames` and `skipped`.
struct CutTotals {
  std::uint64_t bad_checks = 0;
  std::uint64_t bad_frames = 0;
  std::uint64_t skipped = 0;

  void add_to(Totals& totals) const;
  // Adds what is new in `now` since `seen`, which is brought up to date.
  void add_news(const FrameCounters& now, FrameCounters& seen);
};

// Throws UsageError if the transport has no TLS.
void refuse_tls(const AddressSpec& address, std::string_view option);

// The content of the frame that MESSAGE stands for, with what the files that it names hold: at most
// `max_frame` bytes. Throws UsageError that says what would be right, SystemError if a file cannot
// be read.
std::string read_message(std::string_view text, const CodecSpec& codec, std::uint64_t max_frame);

// The longest line that a MESSAGE for a frame of that size can need.
std::size_t max_message_line(std::uint64_t max_frame);
// The message about a longer one.
inline constexpr std::string_view kLongLine =
    "a line is longer than a message may be (--max-frame)";

// Those of `candidates` that begin with the word that is being typed.
std::vector<std::string> complete_word(std::string_view word,
                                       std::initializer_list<std::string_view> candidates);

// "3 of 9 bytes"; `total` is 0 where the length has not come: "3 bytes".
std::string part_of_frame(std::size_t pending, std::uint64_t total);
// "ended in the middle of a frame: 3 of 9 bytes received", where `what` is what ended.
std::string cut_off(std::string_view what, std::size_t pending, std::uint64_t total);

// Whether reading standard input is allowed: a shell stops a job in the background that reads its
// terminal.
bool may_read_input();
// Whether there is a standard input: one that was closed has been replaced by one that can only be
// written to.
bool is_input_open();

}  // namespace netkit::frame
