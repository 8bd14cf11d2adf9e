// What `frame proxy --fault` does to the frames it forwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/loop/event_loop.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/random.hpp>

namespace netkit::frame {

struct Faults {
  Duration delay{};         // how late each frame comes
  std::size_t split = 0;    // bytes of the pieces that a frame comes in; 0: it comes whole
  double corrupt = 0;       // of the frames have a wrong bit, 0 to 1
  std::uint64_t reset = 0;  // after so many frames of both ways a connection is reset; 0: never

  bool any() const { return delay > Duration{} || split > 0 || corrupt > 0 || reset > 0; }
  // `delay=D`, `split=BYTES`, `corrupt=P%`, `reset=FRAMES`. Throws UsageError.
  static Faults parse(const std::vector<std::string>& texts);
};

// [loop] One direction of a connection: forwards frames in their order, with the faults.
class FaultyWay {
 public:
  // `pass` is given each piece when it is due.
  FaultyWay(EventLoop& loop, const Faults& faults, std::function<void(std::string_view)> pass);

  void add(std::string_view frame);
  // There is no more input: calls back when everything has been forwarded, or at once.
  void end(std::function<void()> done);
  std::size_t waiting() const { return waiting_; }  // bytes

 private:
  struct Piece {
    TimePoint due;
    std::string bytes;
  };

  void add_piece(std::string_view bytes);
  TimePoint due() const;  // of the next piece
  void pass_due();

  EventLoop& loop_;
  Faults faults_;
  std::function<void(std::string_view)> pass_;
  std::function<void()> done_;
  std::deque<Piece> pieces_;
  std::size_t waiting_ = 0;
  TimePoint last_due_;
  TimePoint gap_end_;  // before which no other piece goes
  RandomEngine random_;
  Timer timer_;
};

}  // namespace netkit::frame
