#include "http/http2_session.hpp"

#include <map>
#include <memory>
#include <nghttp2/nghttp2.h>
#include <string>

#include <gtest/gtest.h>

#include <netkit/net/held_bytes.hpp>

namespace netkit {
namespace {

class NoStream final : public HttpStream {};

// nghttp2's client and a session, and what they say to each other.
class Http2SessionTest : public testing::Test, private Http2Session::Handler {
 protected:
  struct Free {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  struct Upload {
    std::size_t left = 0;
    bool ends = true;
  };

  // `window`: of each stream, what the client takes before it is told to take more.
  void start(Http2Session::Options options = {}, std::uint32_t window = 65535) {
    Http2Session::Handler& handler = *this;
    session_ = Http2Session::make(handler, options);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t,
           const std::uint8_t* value, std::size_t size, std::uint8_t, void* user) {
          auto& status = static_cast<Http2SessionTest*>(user)->status_[frame->hd.stream_id];
          if (*name == ':') status = {reinterpret_cast<const char*>(value), size};
          return 0;
        });
    nghttp2_session* client = nullptr;
    nghttp2_session_client_new(&client, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    client_.reset(client);
    const nghttp2_settings_entry settings{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(client, NGHTTP2_FLAG_NONE, &settings, 1);
    talk();
  }
  // Until neither side has anything to say.
  void talk() {
    bool said = true;
    while (said) {
      const std::uint8_t* bytes = nullptr;
      const auto size = nghttp2_session_mem_send(client_.get(), &bytes);
      said = size > 0;
      if (said)
        session_->receive({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
      std::string out;
      session_->pull(out, 65536);
      said = said || !out.empty();
      nghttp2_session_mem_recv(client_.get(), reinterpret_cast<const std::uint8_t*>(out.data()),
                               out.size());
    }
  }
  std::int32_t ask(std::string method, std::string path, Upload* upload = nullptr) {
    std::string fields[] = {":method", std::move(method), ":scheme",      "https", ":authority",
                            "x",       ":path",           std::move(path)};
    const auto bytes = [](std::string& text) {
      return reinterpret_cast<std::uint8_t*>(text.data());
    };
    nghttp2_nv pairs[4];
    for (std::size_t i = 0; i < 4; ++i) {
      std::string& name = fields[2 * i];
      std::string& value = fields[2 * i + 1];
      pairs[i] = {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
    }
    nghttp2_data_provider body{{.ptr = upload}, &read_upload};
    return nghttp2_submit_request(client_.get(), nullptr, pairs, 4,
                                  upload == nullptr ? nullptr : &body, nullptr);
  }

  std::unique_ptr<Http2Session> session_;
  std::unique_ptr<nghttp2_session, Free> client_;
  std::map<std::int32_t, std::string> status_;  // of the answers
  std::map<std::int32_t, std::size_t> bodies_;  // of the requests
  std::map<std::int32_t, std::size_t> written_;
  int taken_back_ = 0;
  const SharedPayload payload_ = std::make_shared<const std::string>(10'000, 'x');

 private:
  static ssize_t read_upload(nghttp2_session*, std::int32_t, std::uint8_t* out, std::size_t most,
                             std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& upload = *static_cast<Upload*>(source->ptr);
    const std::size_t size = std::min(most, upload.left);
    std::fill_n(out, size, 'x');
    upload.left -= size;
    if (size == 0 && !upload.ends) return NGHTTP2_ERR_DEFERRED;
    if (upload.left == 0 && upload.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }
  // GET is answered by as much as a stream takes.
  void on_request(std::int32_t id, const HttpRequest& request) override {
    bodies_[id] = request.body.size();
    HttpAnswer answer{.type = "text/plain"};
    if (request.method == "GET") answer.stream = std::make_unique<NoStream>();
    session_->respond(id, answer, false, std::nullopt);
    if (answer.stream) on_drained(id);
  }
  void on_bad_request(std::int32_t id, int status, std::string_view reason) override {
    session_->respond(id, HttpAnswer::text(status, reason), false, std::nullopt);
  }
  void on_drained(std::int32_t id) override {
    while (!session_->backed_up(id) && written_[id] < 1'000'000) {
      session_->write(id, payload_, 0, payload_->size());
      written_[id] += payload_->size();
    }
  }
  void on_closed(std::int32_t, bool by_peer) override { taken_back_ += by_peer ? 1 : 0; }
};

TEST_F(Http2SessionTest, RefusesATargetThatIsNotPercentEncoded) {
  start();
  const auto bad = ask("GET", "/\xC2\x9B"), good = ask("POST", "/%C2%9B");
  talk();
  EXPECT_EQ(status_[bad], "400");
  EXPECT_EQ(status_[good], "200");
}

TEST_F(Http2SessionTest, HoldsAFewLargeBodiesAtATime) {
  HeldBytes bodies(5'400'000);  // of which one address takes three quarters
  start({.limits = {.max_body = 1'000'000, .bodies = &bodies}});
  Upload uploads[10];
  for (Upload& upload : uploads) {
    upload = {.left = 900'000, .ends = false};
    ask("POST", "/", &upload);
  }
  talk();
  EXPECT_EQ(session_->incomplete(), 4u);
  EXPECT_EQ(status_.size(), 6u);
  for (const auto& [id, status] : status_) EXPECT_EQ(status, "503");
  // What is whole counts no more.
  for (int i = 0; i < 10; ++i) {
    Upload whole{.left = 900'000};
    nghttp2_submit_rst_stream(client_.get(), NGHTTP2_FLAG_NONE, 2 * i + 1, NGHTTP2_CANCEL);
    const auto id = ask("POST", "/", &whole);
    talk();
    EXPECT_EQ(status_[id], "200");
    EXPECT_EQ(bodies_[id], 900'000u);
  }
  EXPECT_EQ(session_->incomplete(), 0u);
}

TEST_F(Http2SessionTest, HoldsAFewFullQueuesAtATime) {
  start({.low_water = 50'000, .high_water = 100'000}, 0);
  for (int i = 0; i < 50; ++i) ask("GET", "/");
  talk();
  ASSERT_EQ(written_.size(), 50u);
  std::size_t held = 0;
  for (const auto& [id, size] : written_) held += size;
  EXPECT_LT(held, 1'500'000u);
  // All of it comes to those who read.
  nghttp2_session_set_local_window_size(client_.get(), NGHTTP2_FLAG_NONE, 0, 1 << 20);
  const nghttp2_settings_entry settings{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20};
  nghttp2_submit_settings(client_.get(), NGHTTP2_FLAG_NONE, &settings, 1);
  talk();
  for (const auto& [id, size] : written_) EXPECT_EQ(size, 1'000'000u) << id;
}

TEST_F(Http2SessionTest, TellsThatARequestIsTakenBackWhateverTheReason) {
  start();
  int wanted = 0;
  for (const auto reason : {NGHTTP2_NO_ERROR, NGHTTP2_CANCEL}) {
    const auto id = ask("GET", "/");
    talk();
    nghttp2_submit_rst_stream(client_.get(), NGHTTP2_FLAG_NONE, id, reason);
    talk();
    EXPECT_EQ(taken_back_, ++wanted);
  }
  ask("POST", "/");
  talk();
  EXPECT_EQ(taken_back_, wanted);
}

}  // namespace
}  // namespace netkit
