// NMEA 0183: `$` or `!`, a sentence, mostly `*` and its check in hexadecimal, CR LF.
#pragma once

#include "codec/cut.hpp"
#include "codec/frame_writer.hpp"

#include <cstdint>
#include <memory>
#include <string_view>

namespace netkit {

class NmeaCutter {
 public:
  explicit NmeaCutter(std::uint64_t limit) : limit_(limit) {}

  Cut cut(std::string_view data);
  Cut last(std::string_view data);  // a sentence whose end of line is missing
  static std::size_t stale() { return 0; }
  static std::size_t memory() { return 0; }

 private:
  Cut whole(std::string_view sentence, std::size_t size) const;

  std::uint64_t limit_;  // of what stands between the start and the end of the line
  std::size_t scanned_ = 0;
};

std::shared_ptr<const FrameWriter> make_nmea_writer(const CodecSpec& spec);

}  // namespace netkit
