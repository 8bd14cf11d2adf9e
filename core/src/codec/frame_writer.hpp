// Putting one frame together, for all codecs that are more than a length field and a content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/codec/byte_buffer.hpp>
#include <netkit/codec/codec_spec.hpp>
#include <netkit/codec/frame_error.hpp>

namespace netkit {

// Immutable; any thread. Appends a frame whose body is `head` and then `body`. What is derived from
// it wraps an image (the start mark, the body, its check) into marks and stuffing.
class FrameWriter {
 public:
  virtual ~FrameWriter() = default;
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // On an error appends nothing.
  virtual FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const;
  // too_long if a decoder of this limit refuses the frame of a content of `size` bytes.
  virtual FrameError limit(std::size_t size, std::uint64_t max_frame) const;

 protected:
  // `lead`: what stands before the body in an image.
  explicit FrameWriter(const CodecSpec& spec, std::string lead = {})
      : check_(spec.check), lead_(std::move(lead)) {}

  std::size_t check_size() const { return check_ ? check_->size() : 0; }

  // The most bytes that the frame of an image of `size` bytes takes.
  virtual std::size_t room(std::size_t size) const { return size; }
  // Writes the frame to `to`, which has that room, and sets `size` to its bytes.
  virtual FrameError wrap(std::string_view image, char* to, std::size_t& size) const = 0;

  std::shared_ptr<const Check> check_;
  std::string lead_;
};

// Throws UsageError for a codec that can decode but not encode.
std::shared_ptr<const FrameWriter> make_frame_writer(const CodecSpec& spec);

}  // namespace netkit
