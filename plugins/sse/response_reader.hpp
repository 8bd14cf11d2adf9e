// Answers of HTTP/1.1 as they come: in recordings, through the proxy, at the readers of the bench.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/http/chunk_decoder.hpp>

namespace netkit::sse {

// Push style, one answer after the other; any cut of the input gives the same. [one thread]
class ResponseReader {
 public:
  struct Head {
    int status = 0;
    std::string_view content_type{};      // empty: none
    std::string_view content_encoding{};  // the same
  };
  class Handler {
   public:
    virtual ~Handler() = default;
    // The head, but not that of an interim answer (1xx). Valid during the call.
    virtual void on_head(const Head& head) = 0;
    // A piece of the body, without what HTTP put around it.
    virtual void on_body(std::string_view bytes) = 0;
  };
  enum class State : std::uint8_t { more, done, failed };

  // Begins an answer; one to HEAD has no body.
  void restart(bool to_head = false);
  // Returns how much of `input` was taken: what follows an answer that is done is left.
  std::size_t feed(std::string_view input, Handler& handler);
  // The peer has closed. Whether the answer has come whole by that.
  bool finish() const { return state_ == State::done || (in_body_ && !chunks_ && !left_); }
  State state() const { return state_; }

 private:
  void take_head(Handler& handler);

  State state_ = State::more;
  bool to_head_ = false;
  bool in_body_ = false;
  std::string head_;
  std::optional<HttpChunkDecoder> chunks_;
  std::optional<std::uint64_t> left_;  // neither: up to the close
};

}  // namespace netkit::sse
