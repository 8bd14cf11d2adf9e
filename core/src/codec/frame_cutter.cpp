#include "codec/frame_cutter.hpp"

#include <algorithm>

namespace netkit {

namespace {

constexpr std::size_t kKeptCapacity = 512;
// How much is copied behind an unfinished frame whose end is not known, before it is looked at
// again: what follows the end is then left where it is.
constexpr std::size_t kLeastStep = 256;
constexpr std::size_t kMostStep = 65536;

}  // namespace

FrameCutter::Cutter FrameCutter::make_cutter(const CodecSpec& spec, std::uint64_t max_frame) {
  if (spec.dialect == Dialect::nmea) return NmeaCutter(max_frame);
  if (spec.dialect == Dialect::gt06) return Gt06Cutter(max_frame);
  switch (spec.by) {
    case CutBy::length:
      return LengthCutter(spec, max_frame);
    case CutBy::line:
    case CutBy::delimiter:
      return DelimiterCutter(spec, max_frame);
    case CutBy::marks:
      if (FlagRules::fit(spec)) return FlagCutter(spec, max_frame);
      return MarkCutter(spec, max_frame);
    case CutBy::slip:
    case CutBy::hdlc:
      return FlagCutter(spec, max_frame);
    case CutBy::cobs:
      return CobsCutter(max_frame);
    case CutBy::fixed:
      return FixedCutter(spec, max_frame);
    case CutBy::idle:
      return IdleCutter(max_frame);
  }
  return IdleCutter(max_frame);
}

FrameCutter::FrameCutter(const CodecSpec& spec, std::uint64_t max_frame, BadCheck bad)
    : cutter_(make_cutter(spec, std::min(max_frame, FrameDecoder::kMaxLimit))),
      check_(spec.dialect == Dialect::nmea ? nullptr : spec.check),
      bad_(bad),
      idle_(spec.idle) {}

// Fills `frame` in, unless it is dropped.
bool FrameCutter::judge(const Cut& cut, const char* data, FrameView& frame) {
  frame.wire = {data, cut.wire};
  frame.length = cut.length;
  frame.check = cut.check;
  std::size_t size = cut.image.size();
  if (check_ && cut.check == CheckResult::none) {
    frame.check = check_->holds(cut.image, cut.body) ? CheckResult::ok : CheckResult::bad;
    if (size >= cut.body + check_->size()) size -= check_->size();
  }
  const std::size_t body = std::min(cut.body, size);
  frame.content = cut.image.substr(body, size - body);
  if (frame.check != CheckResult::bad) return true;
  ++counters_.bad_checks;
  if (bad_ == BadCheck::fail) error_ = {FrameFault::check, 0, 0};
  return bad_ == BadCheck::pass;
}

FrameCutter::Outcome FrameCutter::settle(const Cut& cut, const char* data, FrameView& frame) {
  wanted_ = 0;
  switch (cut.kind) {
    case Cut::Kind::more:
      wanted_ = cut.size;
      return Outcome::more;
    case Cut::Kind::frame:
      if (judge(cut, data, frame)) return Outcome::frame;
      return error_ ? Outcome::more : Outcome::go_on;
    case Cut::Kind::fill:
      break;
    case Cut::Kind::skip:
      counters_.skipped += cut.size;
      break;
    case Cut::Kind::bad:
      ++counters_.bad_frames;
      counters_.last = cut.error;
      break;
    case Cut::Kind::fail:
      error_ = cut.error;
      return Outcome::more;
  }
  return Outcome::go_on;
}

// Forgets what was handed out from partial_.
void FrameCutter::drop_taken() {
  if (taken_ == 0) return;
  if (taken_ < partial_.size()) {
    // Moving costs no more than was taken, in all.
    if (taken_ < partial_.size() - taken_) return;
    partial_.erase(0, taken_);
  } else if (partial_.capacity() > kKeptCapacity) {
    std::string().swap(partial_);
  } else {
    partial_.clear();
  }
  taken_ = 0;
}

bool FrameCutter::next(std::string_view data, std::size_t& at, FrameView& frame) {
  drop_taken();
  while (!error_) {
    if (taken_ < partial_.size()) {
      bool found = false;
      if (!next_of_partial(data, at, frame, found)) return found;
      continue;
    }
    if (at == data.size()) return false;
    const std::string_view rest = data.substr(at);
    const Cut cut = std::visit([&](auto& cutter) { return cutter.cut(rest); }, cutter_);
    const Outcome outcome = settle(cut, rest.data(), frame);
    if (outcome == Outcome::more) {
      if (error_) return false;
      partial_.append(rest);
      at = data.size();
      return false;
    }
    at += cut.size;
    if (outcome == Outcome::frame) return true;
  }
  return false;
}

// Goes on with the unfinished frame. False if that ends the search; `found` says how.
bool FrameCutter::next_of_partial(std::string_view data, std::size_t& at, FrameView& frame,
                                  bool& found) {
  const std::size_t before = partial_.size() - taken_;
  const std::size_t step = wanted_ > before
                               ? static_cast<std::size_t>(wanted_ - before)
                               : std::clamp<std::size_t>(before, kLeastStep, kMostStep);
  const std::string_view piece = data.substr(at, step);
  partial_.append(piece);
  at += piece.size();
  const std::string_view rest = unfinished();
  const Cut cut = std::visit([&](auto& cutter) { return cutter.cut(rest); }, cutter_);
  const Outcome outcome = settle(cut, rest.data(), frame);
  if (outcome == Outcome::more) return !error_ && at < data.size();
  // What follows it is fed from where it lies, unless that is partial_ itself.
  const std::size_t left = rest.size() - cut.size;
  if (left <= piece.size()) {
    at -= left;
    taken_ = partial_.size();
  } else {
    taken_ += cut.size;
  }
  found = outcome == Outcome::frame;
  if (!found) drop_taken();
  return !found;
}

bool FrameCutter::last(FrameView& frame, std::size_t& rest) {
  drop_taken();
  rest = pending();
  const std::string_view left = unfinished();
  error_ = {};
  const Cut cut = std::visit([&](auto& cutter) { return cutter.last(left); }, cutter_);
  const Outcome outcome = settle(cut, left.data(), frame);
  taken_ = partial_.size();
  wanted_ = 0;
  if (outcome != Outcome::more) rest = 0;
  if (outcome != Outcome::frame) drop_taken();
  return outcome == Outcome::frame;
}

bool FrameCutter::expired(TimePoint now, FrameView& frame) {
  std::size_t rest = 0;
  return idle_ > Duration{} && now >= deadline() && last(frame, rest);
}

TimePoint FrameCutter::deadline() const {
  if (idle_ == Duration{} || !std::get<IdleCutter>(cutter_).waits(unfinished().size())) {
    return TimePoint::max();
  }
  return saturating_add(heard_, idle_);
}

std::size_t FrameCutter::pending() const {
  const std::size_t stale = std::visit([](auto& cutter) { return cutter.stale(); }, cutter_);
  return partial_.size() - taken_ - std::min(stale, partial_.size() - taken_);
}

std::size_t FrameCutter::memory() const {
  return partial_.capacity() + std::visit([](auto& cutter) { return cutter.memory(); }, cutter_);
}

}  // namespace netkit
