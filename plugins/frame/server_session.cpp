#include <algorithm>
#include <frame/server_session.hpp>

namespace netkit::frame {

ServerSession::ServerSession(const ServerOptions& options, const FrameEncoder& encoder,
                             TimePoint now)
    : options_(&options),
      encoder_(&encoder),
      decoder_(options.codec, options.max_frame, options.bad),
      last_data_(now) {}

void ServerSession::begin(TimePoint now, std::string_view data) {
  last_data_ = now;
  first_.add(data);
}

void ServerSession::end(TimePoint now, std::size_t frames) {
  if (decoder_.pending() == 0) {
    frame_began_ = TimePoint::max();
  } else if (frames > 0 || frame_began_ == TimePoint::max()) {
    frame_began_ = now;
  }
}

void ServerSession::begin_anew(TimePoint now) {
  last_data_ = now;
  if (frame_began_ != TimePoint::max()) frame_began_ = now;
}

TimePoint ServerSession::next_deadline() const {
  const TimePoint idle =
      std::min(saturating_add(last_data_, options_->idle_timeout), decoder_.deadline());
  if (frame_began_ == TimePoint::max()) return idle;
  return std::min(idle, saturating_add(frame_began_, options_->frame_timeout));
}

ServerSession::Expired ServerSession::expired(TimePoint now) const {
  if (frame_began_ != TimePoint::max() &&
      now >= saturating_add(frame_began_, options_->frame_timeout)) {
    return Expired::frame;
  }
  if (now >= saturating_add(last_data_, options_->idle_timeout)) return Expired::idle;
  return Expired::none;
}

}  // namespace netkit::frame
