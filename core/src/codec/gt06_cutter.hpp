// GT06: 78 78 and a length of one byte, or 79 79 and one of two; a content, a check, CR LF.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace netkit {

// A start whose length is impossible, or that has no end where its length says, is none.
class Gt06Cutter {
 public:
  explicit Gt06Cutter(std::uint64_t limit) : limit_(limit) {}

  Cut cut(std::string_view data);
  Cut last(std::string_view data);
  std::size_t stale() const { return outside_ ? 1 : 0; }
  static std::size_t memory() { return 0; }

 private:
  std::uint64_t limit_;
  bool outside_ = false;
};

std::shared_ptr<const FrameWriter> make_gt06_writer(const CodecSpec& spec);

}  // namespace netkit
