#include <netkit/net/held_bytes.hpp>

namespace netkit {
namespace {

constexpr std::size_t kHeldPiece = 4096;

}  // namespace

HeldBytes::HeldBytes(std::size_t bytes) : left_(bytes / kHeldPiece), shares_(left_) {}

bool HeldBytes::take(const IpAddress& source) {
  if (left_ == 0 || !shares_.take(source)) return false;
  --left_;
  return true;
}

void HeldBytes::give_back(const IpAddress& source) {
  ++left_;
  shares_.give_back(source);
}

bool Holding::hold(std::size_t bytes) {
  if (all_ == nullptr) return true;
  const std::size_t wanted = bytes / kHeldPiece;
  for (; pieces_ > wanted; --pieces_) all_->give_back(source_);
  for (; pieces_ < wanted; ++pieces_) {
    if (!all_->take(source_)) return false;
  }
  return true;
}

}  // namespace netkit
