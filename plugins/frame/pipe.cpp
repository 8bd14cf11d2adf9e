// `frame encode` and `frame decode`: stdin to stdout.
#include <algorithm>
#include <cerrno>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <functional>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::frame {

namespace {

constexpr std::size_t kBatch = 65536;

struct PipeOptions {
  Cutting cutting;
  bool answers = false;  // decode: frames have an error code
};

// Standard input as it comes, in pieces as large as the loop's buffer.
class InputBytes {
 public:
  // `on_end` is called once, with 0 or the errno of a read that failed.
  InputBytes(Host& host, std::function<void(std::string_view)> on_data,
             std::function<void(int error)> on_end)
      : loop_(host.loop()), on_data_(std::move(on_data)), on_end_(std::move(on_end)) {
    watch_ = loop_.watch(STDIN_FILENO, Interest::read, [this](Ready) { read(); });
  }

  void stop() { watch_.reset(); }

 private:
  void read() {
    const std::span<char> buffer = loop_.read_buffer();
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count > 0) return on_data_({buffer.data(), static_cast<std::size_t>(count)});
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    const int error = count < 0 ? errno : 0;
    watch_.reset();
    on_end_(error);
  }

  EventLoop& loop_;
  std::function<void(std::string_view)> on_data_;
  std::function<void(int)> on_end_;
  Watch watch_;
};

std::string read_failure(int error) {
  return fmt::format("cannot read standard input: {}", error_text(error));
}

class LineEncoder {
 public:
  LineEncoder(Host& host, const PipeOptions& options)
      : host_(host),
        codec_(options.cutting.codec),
        max_frame_(options.cutting.max_frame),
        encoder_(codec_),
        lines_(max_message_line(max_frame_)),
        input_(
            host, [this](std::string_view data) { on_data(data); },
            [this](int error) { on_end(error); }) {
    host_.set_totals([this](Totals& totals) { totals.add("frames", frames_); });
    before_wait_ = host_.loop().before_wait([this] {
      write();
      host_.output().flush();
    });
  }

 private:
  void on_data(std::string_view data) {
    lines_.feed(data, [this](const Line& line) { return take(line); });
  }

  void on_end(int error) {
    if (error != 0) return end(ExitStatus::output, read_failure(error));
    lines_.finish([this](const Line& line) { return take(line); });
    if (!host_.finishing()) end(ExitStatus::done, {});
  }

  // Most lines of a stream need no more than to be cut in two.
  bool take(const Line& line) {
    const auto plain = plain_message(line.text, codec_);
    if (!plain || line.too_long || plain->body.size() >= max_frame_) {
      return take_any(line.text, line.too_long);
    }
    const std::size_t size = plain->body.size() + 1;
    char* to = wire_.reserve(FrameEncoder::kMaxField + size);
    const std::size_t field = encoder_.put_field(to, size);
    if (field == 0) return take_any(line.text, line.too_long);
    to[field] = plain->id;
    std::copy(plain->body.begin(), plain->body.end(), to + field + 1);
    wire_.commit(field + size);
    ++frames_;
    if (wire_.size() >= kBatch) write();
    return true;
  }

  // By value: a line whose address is not taken stays in registers.
  [[gnu::noinline]] bool take_any(std::string_view text, bool too_long) {
    if (text.empty()) return true;
    try {
      if (too_long) {
        throw UsageError(
            fmt::format("longer than a message may be (--max-frame): it has more than {}",
                        format_size(text.size())));
      }
      encode(read_message(text, codec_, max_frame_));
      return true;
    } catch (const Error& error) {
      end(error.status(), fmt::format("line {}: {}", lines_.lines(), error.what()));
      return false;
    }
  }

  void encode(std::string_view content) {
    if (const FrameError error = encoder_.check({}, content, max_frame_)) {
      throw UsageError(error.text());
    }
    if (const FrameError error = encoder_.append(wire_, content, {})) {
      throw UsageError(error.text());
    }
    ++frames_;
    if (wire_.size() >= kBatch) write();
  }

  void write() {
    if (wire_.empty()) return;
    host_.output().write_text(wire_.view());
    wire_.clear();
  }

  void end(ExitStatus status, const std::string& error) {
    input_.stop();
    write();
    host_.finish(status, error);
  }

  Host& host_;
  CodecSpec codec_;
  std::uint64_t max_frame_;
  FrameEncoder encoder_;
  LineDecoder lines_;
  ByteBuffer wire_;
  std::uint64_t frames_ = 0;
  Hook before_wait_;
  InputBytes input_;
};

class StreamDecoder {
 public:
  StreamDecoder(Host& host, const PipeOptions& options)
      : host_(host),
        cutting_(options.cutting),
        decoder_(cutting_.decoder()),
        printer_(host, false, FramePrinter::Mark::none),
        answers_(options.answers),
        input_(
            host, [this](std::string_view data) { on_data(data); },
            [this](int error) { on_end(error); }) {
    host_.set_totals([this](Totals& totals) {
      totals.add("frames", frames_);
      totals.add("bytes", bytes_);
      cut_.add_news(decoder_.counters(), seen_);
      cut_.add_to(totals);
    });
  }

 private:
  void on_data(std::string_view data) {
    bytes_ += data.size();
    first_.add(data);
    printer_.tick();
    const FrameError error = printer_.bodies_only() ? gather_bodies(data) : show_all(data);
    if (error) return fail(error);
    const TimePoint due = decoder_.deadline();
    if (due != TimePoint::max()) silence_ = host_.loop().at(due, [this] { on_silence(); });
  }

  // A frame that is cut by silence has ended.
  void on_silence() {
    printer_.tick();
    decoder_.expire(host_.loop().now(), [this](const FrameView& frame) { show(frame); });
    write_lines();
    if (const FrameError error = decoder_.error()) return fail(error);
    if (decoder_.deadline() == TimePoint::max()) return;
    silence_ = host_.loop().at(decoder_.deadline(), [this] { on_silence(); });
  }

  void fail(const FrameError& error) {
    end(ExitStatus::protocol,
        fmt::format("after frame {}: {}", frames_, first_.explain(cutting_.codec, error.text())));
  }

  void on_end(int error) {
    if (error != 0) return end(ExitStatus::output, read_failure(error));
    const std::uint64_t total = decoder_.pending_total();
    printer_.tick();
    const std::size_t rest = decoder_.finish([this](const FrameView& frame) { show(frame); });
    write_lines();
    if (const FrameError wrong = decoder_.error()) return fail(wrong);
    if (rest == 0) return end(ExitStatus::done, {});
    end(ExitStatus::protocol, cut_off("the input ends", rest, total));
  }

  // As the bodies alone, all that came together in one go.
  FrameError gather_bodies(std::string_view data) {
    bodies_.clear();
    const std::size_t head = !cutting_.codec.message_ids ? 0U : (answers_ ? 2U : 1U);
    std::uint64_t frames = 0;
    // Called at several places, of which one runs once a frame.
    const auto take = [&](const FrameView& frame) __attribute__((always_inline)) {
      ++frames;
      if (frame.check == CheckResult::bad) return;
      std::string_view body = frame.content;
      body.remove_prefix(std::min(head, body.size()));
      bodies_.append(body);
    };
    const FrameError error = cutting_.cut(decoder_, host_.loop().now(), data, take);
    frames_ += frames;
    if (!bodies_.empty()) printer_.print_bodies(bodies_.view());
    return error;
  }

  FrameError show_all(std::string_view data) {
    const FrameError error = cutting_.cut(decoder_, host_.loop().now(), data,
                                          [this](const FrameView& frame) { show(frame); });
    write_lines();
    return error;
  }

  void show(const FrameView& view) {
    ++frames_;
    if (!answers_ && printer_.lines_only()) {
      printer_.append_line(lines_, view, cutting_.codec);
      lines_ += '\n';
      if (lines_.size() >= kBatch) write_lines();
      return;
    }
    if (answers_) return printer_.print(shown_answer(view, cutting_.codec));
    printer_.print_message(shown_request(view, cutting_.codec), view.content, cutting_.codec);
  }

  void write_lines() {
    if (lines_.empty()) return;
    host_.output().write_text(lines_);
    lines_.clear();
  }

  void end(ExitStatus status, const std::string& error) {
    input_.stop();
    host_.finish(status, error);
  }

  Host& host_;
  Cutting cutting_;
  FrameDecoder decoder_;
  FrameCounters seen_;
  CutTotals cut_;
  Timer silence_;
  FramePrinter printer_;
  ByteBuffer bodies_;
  std::string lines_;  // MESSAGEs, as text
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  FirstBytes first_;
  bool answers_;
  InputBytes input_;
};

PipeOptions decode_options(const Values& values) {
  PipeOptions options{read_cutting(values), values.flag("answers")};
  if (options.answers && !options.cutting.codec.message_ids) {
    throw UsageError("--answers needs the codec netkit");
  }
  return options;
}

PipeOptions encode_options(const Values& values) {
  PipeOptions options{read_cutting(values)};
  const FrameEncoder checked(options.cutting.codec);
  return options;
}

}  // namespace

std::unique_ptr<Command> make_encode() {
  return std::make_unique<LoopCommand<LineEncoder, encode_options>>();
}

std::unique_ptr<Command> make_decode() {
  return std::make_unique<LoopCommand<StreamDecoder, decode_options>>();
}

}  // namespace netkit::frame
