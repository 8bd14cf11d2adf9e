// What nghttp2, which is C, takes and may be called from; the same for servers and clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <nghttp2/nghttp2.h>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace netkit {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// nghttp2 only reads them, whatever its types say.
inline std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

// Nothing may be thrown through it: for its callbacks.
template <typename Work>
int within_c(Work&& work) noexcept {
  try {
    work();
    return 0;
  } catch (...) {  // bad_alloc
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
}

// What nghttp2 returns where it, or one of the callbacks, has run out of memory.
inline void check_memory(ssize_t result) {
  if (result == NGHTTP2_ERR_NOMEM || result == NGHTTP2_ERR_CALLBACK_FAILURE) {
    throw std::bad_alloc();
  }
}

using Http2Callbacks =
    std::unique_ptr<nghttp2_session_callbacks, decltype(&nghttp2_session_callbacks_del)>;

// Callbacks that pass on to an `Owner`, whose session is made with its own address as user data:
// take_header(frame, name, value), take_frame(frame), take_data(stream, bytes) and
// close(stream, error), which may throw bad_alloc.
template <typename Owner>
Http2Callbacks make_callbacks() {
  nghttp2_session_callbacks* made = nullptr;
  if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
  nghttp2_session_callbacks_set_on_header_callback(
      made, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
               std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
               std::uint8_t, void* owner) {
        return within_c([&] {
          static_cast<Owner*>(owner)->take_header(*frame, text_of(name, name_size),
                                                  text_of(value, value_size));
        });
      });
  nghttp2_session_callbacks_set_on_frame_recv_callback(
      made, [](nghttp2_session*, const nghttp2_frame* frame, void* owner) {
        return within_c([&] { static_cast<Owner*>(owner)->take_frame(*frame); });
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      made, [](nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
               std::size_t size, void* owner) {
        return within_c(
            [&] { static_cast<Owner*>(owner)->take_data(stream, text_of(data, size)); });
      });
  nghttp2_session_callbacks_set_on_stream_close_callback(
      made, [](nghttp2_session*, std::int32_t stream, std::uint32_t error, void* owner) {
        return within_c([&] { static_cast<Owner*>(owner)->close(stream, error); });
      });
  return {made, &nghttp2_session_callbacks_del};
}

// Appends what is to be sent next, and stops after about `most` bytes.
inline void pull(nghttp2_session* session, std::string& out, std::size_t most) {
  while (out.size() < most) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session, &data);
    check_memory(size);
    if (size <= 0) return;
    out += text_of(data, static_cast<std::size_t>(size));
  }
}

}  // namespace netkit
