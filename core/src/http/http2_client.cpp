#include "http/http2_c.hpp"

#include <array>
#include <new>
#include <nghttp2/nghttp2.h>
#include <unordered_map>

#include <netkit/http/http2_client.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// What may be under way, of a stream and of all together.
constexpr std::uint32_t kStreamWindow = 256U << 10U;
constexpr std::int32_t kConnectionWindow = 4 << 20;

nghttp2_nv field(std::string_view name, std::string_view value) {
  return {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

class Client final : public Http2Client {
 public:
  explicit Client(Handler& handler);
  ~Client() override { nghttp2_session_del(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  StreamId get(std::string_view scheme, std::string_view authority, std::string_view path,
               const std::vector<HttpHeader>& headers) override;
  void cancel(StreamId stream) override;
  void receive(std::string_view bytes) override;
  void pull(std::string& out) override;
  bool over() const override { return failed_ || nghttp2_session_want_read(session_) == 0; }

  // As make_callbacks() has them.
  void take_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  void take_frame(const nghttp2_frame& frame);
  void take_data(StreamId id, std::string_view data) { handler_.on_body(id, data); }
  void close(StreamId id, std::uint32_t error);

 private:
  // Of an answer, until its head is told of.
  struct Head {
    int status = 0;
    std::string content_type{};
  };

  Handler& handler_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<StreamId, Head> heads_;
  bool is_ready_ = false;
  bool failed_ = false;
};

Client::Client(Handler& handler) : handler_(handler) {
  const Http2Callbacks callbacks = make_callbacks<Client>();
  if (nghttp2_session_client_new(&session_, callbacks.get(), this) != 0) throw std::bad_alloc();
  const std::array<nghttp2_settings_entry, 2> settings{
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}, {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow}}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
}

// Those of trailers find no head any more.
void Client::take_header(const nghttp2_frame& frame, std::string_view name,
                         std::string_view value) {
  const auto found = heads_.find(frame.hd.stream_id);
  if (found == heads_.end()) return;
  if (name == ":status") found->second.status = read_integer<int>(value).value_or(0);
  if (name == "content-type") found->second.content_type = value;
}

void Client::take_frame(const nghttp2_frame& frame) {
  const bool is_ack = (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
  if (frame.hd.type == NGHTTP2_SETTINGS && !is_ack && !is_ready_) {
    is_ready_ = true;
    handler_.on_ready(
        nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS));
  }
  if (frame.hd.type != NGHTTP2_HEADERS) return;
  const auto found = heads_.find(frame.hd.stream_id);
  if (found == heads_.end()) return;
  if (found->second.status / 100 == 1) return found->second.content_type.clear();
  const Head head = heads_.extract(found).mapped();
  handler_.on_head(frame.hd.stream_id, head.status, head.content_type);
}

void Client::close(StreamId id, std::uint32_t error) {
  heads_.erase(id);
  handler_.on_closed(id, error == NGHTTP2_NO_ERROR);
}

Http2Client::StreamId Client::get(std::string_view scheme, std::string_view authority,
                                  std::string_view path, const std::vector<HttpHeader>& headers) {
  std::vector<nghttp2_nv> fields{field(":method", "GET"), field(":scheme", scheme),
                                 field(":authority", authority), field(":path", path)};
  for (const HttpHeader& header : headers) fields.push_back(field(header.name, header.value));
  const StreamId id =
      nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), nullptr, nullptr);
  if (id < 0) throw std::bad_alloc();
  heads_.emplace(id, Head{});
  return id;
}

void Client::cancel(StreamId stream) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
}

void Client::receive(std::string_view bytes) {
  const auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  check_memory(taken);
  failed_ = failed_ || taken < 0;
}

void Client::pull(std::string& out) {
  netkit::pull(session_, out, SIZE_MAX);
}

}  // namespace
}  // namespace netkit

extern "C" NETKIT_API netkit::Http2Client* netkit_http2_client(
    netkit::Http2Client::Handler& handler) {
  return std::make_unique<netkit::Client>(handler).release();
}
