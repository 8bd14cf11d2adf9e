#include "io/line_reader.hpp"

#include <cerrno>
#include <string>
#include <unistd.h>
#include <utility>

#include <netkit/util/error.hpp>

namespace netkit {

// Shared, so that a callback may destroy the reader while the state still runs.
struct LineReader::State {
  State(EventLoop& event_loop, int descriptor, std::size_t max_line, Callbacks calls)
      : loop(event_loop), fd(descriptor), decoder(max_line), callbacks(std::move(calls)) {}

  EventLoop& loop;
  int fd;
  LineDecoder decoder;
  Callbacks callbacks;
  std::string rest;  // read, and not handed out because of a pause
  Watch watch;
  Timer again;  // goes on with `rest` after a resume
  bool paused = true;
  bool destroyed = false;
  bool eof = false;
  bool ended = false;
  int error = 0;

  bool stopped() const { return paused || destroyed; }

  void deliver(std::string_view data) {
    const auto sink = [this](const Line& line) {
      callbacks.on_line(line);
      return !stopped();
    };
    const std::size_t taken = decoder.feed(data, sink);
    if (!destroyed && taken < data.size()) rest.assign(data.substr(taken));
  }

  void finish() {
    decoder.finish([this](const Line& line) { callbacks.on_line(line); });
    if (stopped() || ended) return;
    ended = true;
    callbacks.on_end(error);
  }

  void read_once() {
    const auto buffer = loop.read_buffer();
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count > 0) return deliver({buffer.data(), static_cast<std::size_t>(count)});
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    error = count < 0 ? errno : 0;
    eof = true;
    watch.reset();
    finish();
  }
};

namespace {

template <typename State>
void start_watch(const std::shared_ptr<State>& state) {
  const std::weak_ptr<State> weak = state;
  try {
    state->watch = state->loop.watch(state->fd, Interest::read, [weak](Ready) {
      if (const auto alive = weak.lock(); alive && !alive->stopped()) alive->read_once();
    });
  } catch (const SystemError& refused) {  // a standard input that is closed
    state->error = refused.error_number();
    state->eof = true;
    state->finish();
  }
}

template <typename State>
void go_on(const std::shared_ptr<State>& state) {
  if (state->stopped() || state->ended) return;
  if (!state->rest.empty()) {
    const std::string data = std::exchange(state->rest, {});
    state->deliver(data);
  }
  if (state->stopped() || !state->rest.empty()) return;
  if (state->eof) return state->finish();
  if (!state->watch) return start_watch(state);
  state->watch.set(Interest::read);
}

}  // namespace

LineReader::LineReader(EventLoop& loop, int fd, std::size_t max_line, Callbacks callbacks)
    : state_(std::make_shared<State>(loop, fd, max_line, std::move(callbacks))) {}

LineReader::~LineReader() {
  state_->destroyed = true;
  state_->watch.reset();
  state_->again.reset();
}

void LineReader::pause() {
  state_->paused = true;
  if (state_->watch) state_->watch.set(Interest::none);
  state_->again.reset();
}

void LineReader::resume() {
  if (!state_->paused) return;
  state_->paused = false;
  // Not from here: resume() may be called within a batch of lines.
  const std::weak_ptr<State> weak = state_;
  state_->again = state_->loop.after(Duration::zero(), [weak] {
    if (const auto alive = weak.lock()) go_on(alive);
  });
}

bool LineReader::paused() const {
  return state_->paused;
}

bool LineReader::ended() const {
  return state_->ended;
}

}  // namespace netkit
