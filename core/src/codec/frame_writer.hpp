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

// Immutable; any thread.
class FrameWriter {
 public:
  virtual ~FrameWriter() = default;
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

  // Appends a frame whose body is `head` and then `body`; on an error appends nothing.
  virtual FrameError append(ByteBuffer& out, std::string_view head,
                            std::string_view body) const = 0;
  // too_long if a decoder of this limit refuses the frame of that body.
  virtual FrameError limit(std::string_view head, std::string_view body,
                           std::uint64_t max_frame) const;

 protected:
  explicit FrameWriter(const CodecSpec& spec) : check_(spec.check) {}

  // too_long for a length above the limit.
  static FrameError limit_length(std::uint64_t length, std::uint64_t max_frame);
  std::size_t check_size() const { return check_ ? check_->size() : 0; }

  std::shared_ptr<const Check> check_;
};

// Makes an image (what stands before the body, the body, its check) and wraps it into marks and
// stuffing.
class ImageWriter : public FrameWriter {
 public:
  FrameError append(ByteBuffer& out, std::string_view head, std::string_view body) const override;

 protected:
  // `lead`: what stands before the body in an image.
  explicit ImageWriter(const CodecSpec& spec, std::string lead = {})
      : FrameWriter(spec), lead_(std::move(lead)) {}

  // The most bytes that the frame of an image of `size` bytes takes.
  virtual std::size_t room(std::size_t size) const { return size; }
  // Writes the frame to `to`, which has that room, and sets `size` to its bytes.
  virtual FrameError wrap(std::string_view image, char* to, std::size_t& size) const = 0;

  std::string lead_;
};

// Throws UsageError for a codec that can decode but not encode.
std::shared_ptr<const FrameWriter> make_frame_writer(const CodecSpec& spec);

}  // namespace netkit
