#include "http/http2_session.hpp"

#include "http/http2_c.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <nghttp2/nghttp2.h>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/http/http_body.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/util/export.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// A client that sends more than this to a request that has been answered loses the stream.
constexpr std::size_t kMostIgnored = std::size_t{64} << 10U;
// The streams of a connection together hold no more than so many full queues; beyond that each has
// a fraction of one.
constexpr std::size_t kFullStreams = 4;
constexpr std::size_t kFraction = 16;

class Session final : public Http2Session {
 public:
  Session(Handler& handler, const Options& options);
  ~Session() override { nghttp2_session_del(session_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void receive(std::string_view bytes) override;
  void pull(std::string& out, std::size_t most) override;
  void respond(StreamId id, const HttpAnswer& answer, bool is_head,
               std::optional<WallTime> date) override;
  void write(StreamId id, const SharedPayload& payload, std::size_t begin,
             std::size_t size) override;
  void finish(StreamId id) override;
  void reset(StreamId id) override;
  bool backed_up(StreamId id) const override;
  void shut_down() override;
  std::size_t incomplete() const override { return incomplete_; }
  std::size_t open() const override { return streams_.size() - incomplete_; }
  bool over() const override {
    return nghttp2_session_want_write(session_) == 0 &&
           (failed_ || nghttp2_session_want_read(session_) == 0);
  }
  bool failed() const override { return failed_; }

  // As make_callbacks() has them.
  void take_header(const nghttp2_frame& frame, std::string_view name, std::string_view value);
  void take_frame(const nghttp2_frame& frame);
  void take_data(StreamId id, std::string_view data);
  void close(StreamId id, std::uint32_t error);

 private:
  struct Slice {
    std::size_t begin = 0;
    std::size_t size = 0;
  };
  struct Piece {
    SharedPayload payload;
    std::size_t begin;
    std::size_t size;
  };
  struct Stream {
    explicit Stream(const Options& options) : body(options.limits.bodies, options.peer.address()) {}
    // The request.
    std::string head{};  // what the slices are of
    Slice method{}, path{}, authority{};
    std::vector<std::pair<Slice, Slice>> headers{};
    HttpBody body;
    std::size_t ignored = 0;
    int status = 0;  // that it is refused with
    std::string_view reason{};
    bool is_told = false;
    // The answer.
    std::deque<Piece> queue{};
    std::size_t queued = 0;
    bool is_finished = false;
    bool is_cut = false;  // instead of its end
    bool is_backed_up = false;

    Slice keep(std::string_view text) {
      head += text;
      return {head.size() - text.size(), text.size()};
    }
    std::string_view text(Slice slice) const {
      return std::string_view(head).substr(slice.begin, slice.size);
    }
  };
  struct Event {
    enum class Kind { request, drained, closed, closed_by_peer } kind;
    StreamId stream;
  };

  static Session& self(void* user) { return *static_cast<Session*>(user); }
  Stream* find(StreamId id);
  static void add_callbacks(nghttp2_session_callbacks* callbacks);
  void begin_headers(const nghttp2_frame& frame);
  void add_header(Stream& stream, std::string_view name, std::string_view value);
  void complete(StreamId id, Stream& stream);
  void sent_frame(const nghttp2_frame& frame);
  std::size_t read_body(StreamId id, Stream& stream, std::uint8_t* out, std::size_t most);
  void dispatch();
  void tell_request(StreamId id, Stream& stream);
  void forget_request(Stream& stream);
  void add(Stream& stream, Piece piece);
  std::size_t mark(std::size_t water) const;
  void submit(StreamId id, const HttpAnswer& answer, std::optional<WallTime> date, bool has_body);

  Handler& handler_;
  Options options_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<StreamId, Stream> streams_;
  std::size_t incomplete_ = 0;
  std::size_t queued_ = 0;  // of all streams
  std::vector<Event> events_;
  bool failed_ = false;
};

Session::Session(Handler& handler, const Options& options) : handler_(handler), options_(options) {
  const Http2Callbacks callbacks = make_callbacks<Session>();
  add_callbacks(callbacks.get());
  if (nghttp2_session_server_new(&session_, callbacks.get(), this) != 0) throw std::bad_alloc();
  const std::vector<nghttp2_settings_entry> settings{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options_.max_streams},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(options_.limits.max_head)}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

// Those that a server alone needs.
void Session::add_callbacks(nghttp2_session_callbacks* callbacks) {
  nghttp2_session_callbacks_set_on_begin_headers_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return within_c([&] { self(user).begin_headers(*frame); });
      });
  nghttp2_session_callbacks_set_on_frame_send_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
        return within_c([&] { self(user).sent_frame(*frame); });
      });
}

Session::Stream* Session::find(StreamId id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

void Session::begin_headers(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS || frame.headers.cat != NGHTTP2_HCAT_REQUEST) return;
  streams_.try_emplace(frame.hd.stream_id, options_);
  ++incomplete_;
}

// Trailers are ignored.
void Session::take_header(const nghttp2_frame& frame, std::string_view name,
                          std::string_view value) {
  Stream* const stream = find(frame.hd.stream_id);
  const bool is_trailer = frame.headers.cat != NGHTTP2_HCAT_REQUEST;
  if (stream != nullptr && !is_trailer) add_header(*stream, name, value);
}

// Which names and values there may be, nghttp2 has checked (RFC 9113, section 8).
void Session::add_header(Stream& stream, std::string_view name, std::string_view value) {
  const HttpLimits& limits = options_.limits;
  if (stream.status != 0) return;
  if (name == ":path" && value.size() > limits.max_line) {
    stream.status = 414;
    stream.reason = "the request line is too long";
  } else if (name == ":path" && !http::is_visible_text(value)) {
    stream.status = 400;
    stream.reason = http::kNotEncoded;
  } else if (name.size() + value.size() > limits.max_line ||
             stream.head.size() + name.size() + value.size() > limits.max_head ||
             stream.headers.size() >= limits.max_headers) {
    stream.status = 431;
    stream.reason = "the headers are too large";
  } else if (name == ":method") {
    stream.method = stream.keep(value);
  } else if (name == ":path") {
    stream.path = stream.keep(value);
  } else if (name == ":authority") {
    stream.authority = stream.keep(value);
  } else if (!name.starts_with(':')) {
    const Slice kept = stream.keep(name);
    stream.headers.emplace_back(kept, stream.keep(value));
  }
}

void Session::take_frame(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  Stream* const stream = find(frame.hd.stream_id);
  if (stream == nullptr || stream->is_told) return;
  const bool is_whole = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  // Where no bodies are read, nothing of one is waited for.
  if (is_whole || options_.limits.max_body == 0 || stream->status != 0) {
    complete(frame.hd.stream_id, *stream);
  }
}

void Session::take_data(StreamId id, std::string_view data) {
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  if (stream->is_told) {
    stream->ignored += data.size();
    if (stream->ignored > kMostIgnored) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
    }
  } else if (stream->body.size() + data.size() > options_.limits.max_body) {
    stream->status = 413;
    stream->reason = "the body is too large";
    complete(id, *stream);
  } else if (!stream->body.append(data)) {
    stream->status = 503;
    stream->reason = kNoRoomForBodies;
    complete(id, *stream);
  }
}

void Session::complete(StreamId id, Stream& stream) {
  stream.is_told = true;
  --incomplete_;
  events_.push_back({Event::Kind::request, id});
}

// The answer is complete: the rest of the peer's request is not needed (RFC 9113, section 8.1).
void Session::sent_frame(const nghttp2_frame& frame) {
  if (frame.hd.type == NGHTTP2_GOAWAY && frame.goaway.error_code != NGHTTP2_NO_ERROR) {
    failed_ = true;
  }
  if (frame.hd.type != NGHTTP2_HEADERS && frame.hd.type != NGHTTP2_DATA) return;
  if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return;
  if (nghttp2_session_get_stream_remote_close(session_, frame.hd.stream_id) == 0) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, frame.hd.stream_id, NGHTTP2_NO_ERROR);
  }
}

void Session::close(StreamId id, std::uint32_t /*error*/) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  const Stream& stream = found->second;
  if (stream.is_told) {
    events_.push_back({stream.is_finished ? Event::Kind::closed : Event::Kind::closed_by_peer, id});
  } else {
    --incomplete_;
    events_.push_back({Event::Kind::closed_by_peer, id});
  }
  queued_ -= stream.queued;
  streams_.erase(found);
}

void Session::receive(std::string_view bytes) {
  const auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  dispatch();
  check_memory(taken);
  failed_ = failed_ || taken < 0;
}

void Session::pull(std::string& out, std::size_t most) {
  netkit::pull(session_, out, most);
  dispatch();
}

// What nghttp2's callbacks found, now that it may be called again.
void Session::dispatch() {
  // By position: the handler's calls may add to them.
  for (std::size_t i = 0; i < events_.size(); ++i) {
    const auto [kind, id] = events_[i];
    if (kind == Event::Kind::closed || kind == Event::Kind::closed_by_peer) {
      handler_.on_closed(id, kind == Event::Kind::closed_by_peer);
      continue;
    }
    Stream* const stream = find(id);
    if (stream == nullptr) continue;
    if (kind == Event::Kind::drained) {
      handler_.on_drained(id);
    } else {
      tell_request(id, *stream);
      if (Stream* const told = find(id)) forget_request(*told);
    }
  }
  events_.clear();
}

void Session::tell_request(StreamId id, Stream& stream) {
  if (stream.status != 0) return handler_.on_bad_request(id, stream.status, stream.reason);
  HttpRequest request;
  request.method = stream.text(stream.method);
  const std::string_view target = stream.text(stream.path);
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  bool has_host = false;
  for (const auto& [name, value] : stream.headers) {
    request.headers.push_back({stream.text(name), stream.text(value)});
    has_host = has_host || stream.text(name) == "host";
  }
  if (stream.authority.size != 0 && !has_host) {
    request.headers.push_back({"host", stream.text(stream.authority)});
  }
  request.body = stream.body.text();
  request.peer = options_.peer;
  handler_.on_request(id, request);
}

// A stream may last.
void Session::forget_request(Stream& stream) {
  stream.body.clear();
  stream.head = {};
  stream.headers = {};
}

void Session::respond(StreamId id, const HttpAnswer& answer, bool is_head,
                      std::optional<WallTime> date) {
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  stream->is_finished = !answer.stream || is_head;
  const bool has_body = !is_head && (answer.stream != nullptr || !answer.body.empty());
  if (has_body && !answer.body.empty()) {
    add(*stream, {std::make_shared<const std::string>(answer.body), 0, answer.body.size()});
  }
  submit(id, answer, date, has_body);
}

void Session::submit(StreamId id, const HttpAnswer& answer, std::optional<WallTime> date,
                     bool has_body) {
  std::vector<std::pair<std::string, std::string>> fields;
  fields.emplace_back(":status", fmt::format_int(answer.status).str());
  if (date) fields.emplace_back("date", http::format_date(*date));
  if (!answer.type.empty()) fields.emplace_back("content-type", answer.type);
  if (!answer.stream && !answer.type.empty()) {
    fields.emplace_back("content-length", fmt::format_int(answer.body.size()).str());
  }
  for (std::string_view rest = answer.headers; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    const std::size_t colon = std::min(line.find(':'), line.size());
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), http::lower_letter);
    fields.emplace_back(std::move(name),
                        http::trim_blanks(line.substr(std::min(colon + 1, line.size()))));
  }
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(fields.size());
  for (const auto& [name, value] : fields) {
    pairs.push_back(
        {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  nghttp2_data_provider provider{};
  provider.read_callback = [](nghttp2_session*, std::int32_t stream_id, std::uint8_t* out,
                              std::size_t most, std::uint32_t* flags, nghttp2_data_source*,
                              void* user) -> ssize_t {
    Stream* const stream = self(user).find(stream_id);
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::size_t size = 0;
    if (const int failed =
            within_c([&] { size = self(user).read_body(stream_id, *stream, out, most); })) {
      return failed;
    }
    if (size == 0 && stream->is_cut) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (stream->queue.empty() && stream->is_finished && !stream->is_cut) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (size == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(size);
  };
  if (nghttp2_submit_response(session_, id, pairs.data(), pairs.size(),
                              has_body ? &provider : nullptr) == NGHTTP2_ERR_NOMEM) {
    throw std::bad_alloc();
  }
}

std::size_t Session::read_body(StreamId id, Stream& stream, std::uint8_t* out, std::size_t most) {
  std::size_t size = 0;
  while (!stream.queue.empty() && size < most) {
    Piece& piece = stream.queue.front();
    const std::size_t taken = std::min(piece.size, most - size);
    std::memcpy(out + size, piece.payload->data() + piece.begin, taken);
    size += taken;
    piece.begin += taken;
    piece.size -= taken;
    if (piece.size == 0) stream.queue.pop_front();
  }
  stream.queued -= size;
  queued_ -= size;
  if (stream.is_backed_up && stream.queued <= mark(options_.low_water)) {
    stream.is_backed_up = false;
    events_.push_back({Event::Kind::drained, id});
  }
  return size;
}

void Session::add(Stream& stream, Piece piece) {
  const std::size_t size = piece.size;
  stream.queue.push_back(std::move(piece));
  stream.queued += size;
  queued_ += size;
}

// What a stream's queue is measured by.
std::size_t Session::mark(std::size_t water) const {
  return queued_ > kFullStreams * options_.high_water ? water / kFraction : water;
}

void Session::write(StreamId id, const SharedPayload& payload, std::size_t begin,
                    std::size_t size) {
  Stream* const stream = find(id);
  if (stream == nullptr || stream->is_finished || size == 0) return;
  add(*stream, {payload, begin, size});
  stream->is_backed_up = stream->is_backed_up || stream->queued > mark(options_.high_water);
  nghttp2_session_resume_data(session_, id);
}

void Session::finish(StreamId id) {
  Stream* const stream = find(id);
  if (stream == nullptr || stream->is_finished) return;
  stream->is_finished = true;
  nghttp2_session_resume_data(session_, id);
}

// The callback that finds no more of the body resets the stream: after what it has.
void Session::reset(StreamId id) {
  Stream* const stream = find(id);
  if (stream == nullptr || stream->is_finished) return;
  stream->is_finished = stream->is_cut = true;
  nghttp2_session_resume_data(session_, id);
}

bool Session::backed_up(StreamId id) const {
  const auto found = streams_.find(id);
  return found != streams_.end() && found->second.is_backed_up;
}

void Session::shut_down() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

}  // namespace
}  // namespace netkit

extern "C" NETKIT_API netkit::Http2Session* netkit_http2_session(
    netkit::Http2Session::Handler& handler, const netkit::Http2Session::Options& options) {
  return std::make_unique<netkit::Session>(handler, options).release();
}
