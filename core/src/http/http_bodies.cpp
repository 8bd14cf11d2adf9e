#include <netkit/http/http_bodies.hpp>

namespace netkit {
namespace {

constexpr std::size_t kBodyPiece = 4096;

}  // namespace

HttpBodies::HttpBodies(std::size_t bytes) : left_(bytes / kBodyPiece), shares_(left_) {}

bool HttpBodies::take(const IpAddress& source) {
  if (left_ == 0 || !shares_.take(source)) return false;
  --left_;
  return true;
}

void HttpBodies::give_back(const IpAddress& source) {
  ++left_;
  shares_.give_back(source);
}

bool HttpBody::append(std::string_view bytes) {
  while (all_ != nullptr && pieces_ * kBodyPiece < text_.size() + bytes.size()) {
    if (!all_->take(source_)) return false;
    ++pieces_;
  }
  text_ += bytes;
  return true;
}

// The memory as well: a connection that stays may never have another.
void HttpBody::clear() {
  for (; pieces_ != 0; --pieces_) all_->give_back(source_);
  text_ = {};
}

}  // namespace netkit
