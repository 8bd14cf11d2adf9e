// `frame encode` and `frame decode`: stdin to stdout.
#include <algorithm>
#include <cerrno>
#include <frame/commands.hpp>
#include <frame/frame_printer.hpp>
#include <frame/options.hpp>
#include <unistd.h>

#include <netkit/io/input.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/size.hpp>

namespace netkit::frame {

namespace {

constexpr std::size_t kBatch = 65536;

class LineEncoder final : public Input::Handler {
 public:
  LineEncoder(Host& host, const CodecSpec& codec, std::uint64_t max_frame)
      : host_(host),
        codec_(codec),
        max_frame_(max_frame),
        encoder_(codec),
        load_([max_frame](const std::string& path) { return load_file(path, max_frame); }) {
    host_.set_totals([this](Totals& totals) { totals.add("frames", frames_); });
    Input::Options options;
    options.max_line = max_message_line(max_frame);
    input_ = Input::open(host_, *this, std::move(options));
    before_wait_ = host_.loop().before_wait([this] {
      write();
      host_.output().flush();
    });
  }

  void on_input_line(std::string_view line) override {
    ++lines_;
    if (line.empty() || host_.finishing()) return;
    try {
      if (const auto plain = plain_message(line, codec_)) {
        encode({&plain->id, 1}, plain->body);
      } else {
        encode(parse_message(line, codec_, load_), {});
      }
    } catch (const Error& error) {
      input_->pause();
      write();
      host_.finish(error.status(), "line " + std::to_string(lines_) + ": " + error.what());
    }
  }

  void on_input_end() override {
    write();
    host_.finish(ExitStatus::done);
  }

 private:
  void encode(std::string_view head, std::string_view body) {
    const std::size_t size = head.size() + body.size();
    if (size > max_frame_) {
      throw UsageError("a frame of " + counted(size, "byte") + " is over the limit of " +
                       format_size(max_frame_) + " (--max-frame)");
    }
    if (const FrameError error = encoder_.append(wire_, head, body)) {
      throw UsageError(error.text());
    }
    ++frames_;
    if (wire_.size() >= kBatch) write();
  }

  void write() {
    if (wire_.empty()) return;
    host_.output().write_text(wire_);
    wire_.clear();
  }

  Host& host_;
  CodecSpec codec_;
  std::uint64_t max_frame_;
  FrameEncoder encoder_;
  FileLoader load_;
  std::unique_ptr<Input> input_;
  Hook before_wait_;
  std::string wire_;
  std::uint64_t lines_ = 0;
  std::uint64_t frames_ = 0;
};

class StreamDecoder {
 public:
  StreamDecoder(Host& host, const CodecSpec& codec, std::uint64_t max_frame, bool answers)
      : host_(host),
        codec_(codec),
        decoder_(codec, max_frame),
        printer_(host, false, FramePrinter::Mark::none),
        answers_(answers) {
    host_.set_totals([this](Totals& totals) {
      totals.add("frames", frames_);
      totals.add("bytes", bytes_);
    });
    watch_ = host_.loop().watch(STDIN_FILENO, Interest::read, [this](Ready) { on_readable(); });
  }

 private:
  void on_readable() {
    const std::span<char> buffer = host_.loop().read_buffer();
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count < 0) {
      return end(ExitStatus::output, "cannot read standard input: " + error_text(errno));
    }
    if (count == 0) return on_end();
    bytes_ += static_cast<std::uint64_t>(count);
    printer_.tick();
    const std::string_view data(buffer.data(), static_cast<std::size_t>(count));
    const FrameError error = printer_.bodies_only() ? gather(data) : show_all(data);
    if (error)
      end(ExitStatus::protocol, "after frame " + std::to_string(frames_) + ": " + error.text());
  }

  void on_end() {
    if (decoder_.pending() == 0) return end(ExitStatus::done, {});
    std::string error =
        "the input ends in the middle of a frame: " + counted(decoder_.pending(), "byte");
    if (decoder_.pending_total() > 0) error += " of " + std::to_string(decoder_.pending_total());
    end(ExitStatus::protocol, error + " came");
  }

  FrameError show_all(std::string_view data) {
    return decoder_.feed(data, [this](const FrameView& frame) { show(frame); }).error;
  }

  // As the bodies alone, all that came together in one go.
  FrameError gather(std::string_view data) {
    bodies_.clear();
    const std::size_t head = !codec_.message_ids ? 0U : (answers_ ? 2U : 1U);
    std::uint64_t frames = 0;
    const auto take = [&](const FrameView& frame) {
      ++frames;
      bodies_.append(frame.content, std::min(head, frame.content.size()));
    };
    const FrameError error = decoder_.feed(data, take).error;
    frames_ += frames;
    if (!bodies_.empty()) printer_.print_bodies(bodies_);
    return error;
  }

  void show(const FrameView& view) {
    ++frames_;
    ShownFrame frame =
        answers_ ? shown_answer(view.content, codec_) : shown_request(view.content, codec_);
    frame.length = view.length;
    if (answers_) return printer_.print(frame);
    printer_.print_message(frame, view.content, codec_);
  }

  void end(ExitStatus status, const std::string& error) {
    watch_.reset();
    host_.finish(status, error);
  }

  Host& host_;
  CodecSpec codec_;
  FrameDecoder decoder_;
  FramePrinter printer_;
  Watch watch_;
  std::string bodies_;
  std::uint64_t frames_ = 0;
  std::uint64_t bytes_ = 0;
  bool answers_;
};

class EncodeCommand final : public Command {
 public:
  void configure(const Values& values) override {
    codec_ = codec_option(values);
    max_frame_ = max_frame_option(values);
    const FrameEncoder checked(codec_);
  }
  ExitStatus run(Host& host) override {
    const LineEncoder encoder(host, codec_, max_frame_);
    return host.run_loop();
  }

 private:
  CodecSpec codec_;
  std::uint64_t max_frame_ = 0;
};

class DecodeCommand final : public Command {
 public:
  void configure(const Values& values) override {
    codec_ = codec_option(values);
    max_frame_ = max_frame_option(values);
    answers_ = values.flag("answers");
    if (answers_ && !codec_.message_ids) throw UsageError("--answers needs the codec netkit");
  }
  ExitStatus run(Host& host) override {
    const StreamDecoder decoder(host, codec_, max_frame_, answers_);
    return host.run_loop();
  }

 private:
  CodecSpec codec_;
  std::uint64_t max_frame_ = 0;
  bool answers_ = false;
};

}  // namespace

std::unique_ptr<Command> make_encode() {
  return std::make_unique<EncodeCommand>();
}

std::unique_ptr<Command> make_decode() {
  return std::make_unique<DecodeCommand>();
}

}  // namespace netkit::frame
