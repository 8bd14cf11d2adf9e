#include "http/http2_session.hpp"
#include "http/http_connection.hpp"

#include <chrono>
#include <map>
#include <new>
#include <string>
#include <utility>

#include <netkit/util/quantity.hpp>

namespace netkit {
namespace {

// Bytes that are handed to the connection at a time.
constexpr std::size_t kPiece = std::size_t{64} << 10U;
// Requests that a peer may take back: some at once, then so many a second (CVE-2023-44487).
constexpr double kTakenBackAtOnce = 200;
constexpr double kTakenBackPerSecond = 20;
constexpr Duration kBeforeReset = std::chrono::milliseconds(50);

Http2Session::Options session_options(const HttpServer::Options& options, const Endpoint& peer) {
  return {.limits = options.limits,
          .peer = peer,
          .low_water = options.tcp.low_water,
          .high_water = options.tcp.high_water};
}

}  // namespace

// Many requests at a time, and many streams. What they write goes out together, once a turn.
class HttpServer::Http2 final : public Protocol, private Http2Session::Handler {
 public:
  explicit Http2(Connection& connection)
      : connection_(connection),
        session_(
            Http2Session::make(*this, session_options(connection.options(), connection.peer()))),
        taken_back_(kTakenBackPerSecond, kTakenBackAtOnce, connection.http().loop_.now()) {
    send();
  }

 private:
  using StreamId = Http2Session::StreamId;

  class Carrier final : public HttpStream::Carrier {
   public:
    Carrier(Http2& owner, StreamId id, std::unique_ptr<HttpStream> stream)
        : owner_(owner), id_(id), stream_(std::move(stream)) {}
    HttpStream& stream() { return *stream_; }

    void send(const HttpChunk& chunk) override {
      const auto begin = static_cast<std::size_t>(chunk.body().data() - chunk.encoded()->data());
      send(chunk.encoded(), begin, chunk.body().size());
    }
    void send(std::string_view body) override {
      send(std::make_shared<const std::string>(body), 0, body.size());
    }
    void end() override {
      owner_.session_->finish(id_);
      owner_.send_soon();
    }
    // Clients, libcurl among them, drop what they read together with a reset.
    void cut() override {
      cut_ = owner_.connection_.http().loop_.after(kBeforeReset, [this] {
        owner_.session_->reset(id_);
        owner_.send_soon();
      });
    }
    bool backed_up() const override { return owner_.session_->backed_up(id_); }
    Endpoint peer() const override { return owner_.connection_.peer(); }

   private:
    void send(const SharedPayload& payload, std::size_t begin, std::size_t size) {
      const bool before = backed_up();
      owner_.session_->write(id_, payload, begin, size);
      owner_.send_soon();
      if (!before && backed_up()) Connection::back_up(*stream_);
    }

    Http2& owner_;
    StreamId id_;
    std::unique_ptr<HttpStream> stream_;
    Timer cut_;
  };

  void on_received(std::string_view data) override;
  void on_half_closed() override { connection_.close(); }
  void on_gone() override;
  void on_backed_up() override {}
  void on_drained() override { send(); }
  void stop() override;

  void on_request(StreamId id, const HttpRequest& request) override;
  void on_bad_request(StreamId id, int status, std::string_view reason) override;
  void on_drained(StreamId id) override;
  void on_closed(StreamId id, bool by_peer) override;

  void await(StreamId id, HttpAnswer& head);
  void send();
  void send_soon();
  void send_or_end();
  void watch_the_time();

  Connection& connection_;
  std::unique_ptr<Http2Session> session_;
  std::map<StreamId, std::unique_ptr<Carrier>> carriers_;
  std::map<StreamId, std::shared_ptr<HttpLater>> laters_;  // answers that are waited for
  TokenBucket taken_back_;
  Timer soon_;
  std::size_t waited_for_ = 0;  // requests that were incomplete when the time was last looked at
};

std::unique_ptr<HttpServer::Protocol> HttpServer::Protocol::http2(Connection& connection) {
  return std::make_unique<Http2>(connection);
}

void HttpServer::Http2::on_received(std::string_view data) {
  session_->receive(data);
  if (!connection_.closing()) send();
}

// As much as the connection takes; the rest follows by on_drained().
void HttpServer::Http2::send() {
  soon_.reset();
  std::string out;
  while (!connection_.closing() && !connection_.backed_up()) {
    out.clear();
    session_->pull(out, kPiece);
    if (out.empty()) break;
    connection_.write(out);
  }
  if (connection_.closing()) return;
  if (!session_->over()) return watch_the_time();
  if (session_->failed()) ++connection_.http().counters_.bad_requests;
  connection_.close();
}

void HttpServer::Http2::send_soon() {
  if (!soon_.pending()) {
    soon_ = connection_.http().loop_.after(Duration::zero(), [this] { send_or_end(); });
  }
}

// Out of memory, so something is missing from what was sent: nothing sent after that would make
// sense.
void HttpServer::Http2::send_or_end() {
  try {
    send();
  } catch (const std::bad_alloc&) {
    connection_.http().loop_.out_of_memory();
    connection_.abort();
  }
}

// Time runs while a request is not whole, and while nothing is asked or answered at all; anew with
// each request that has become whole.
void HttpServer::Http2::watch_the_time() {
  const std::size_t incomplete = session_->incomplete();
  if (incomplete == 0 && session_->open() != 0) {
    connection_.stop_waiting();
  } else if (!connection_.is_waiting() || incomplete < waited_for_) {
    connection_.wait_for_request([this] { return session_->incomplete() != 0; });
  }
  waited_for_ = incomplete;
}

void HttpServer::Http2::stop() {
  session_->shut_down();
  send_soon();
}

void HttpServer::Http2::on_request(StreamId id, const HttpRequest& request) {
  if (connection_.closing()) return;
  HttpAnswer answer = connection_.answer_to(request);
  const bool is_head = request.method == "HEAD";
  if (answer.later) return await(id, answer);
  session_->respond(id, answer, is_head, connection_.date());
  if (!answer.stream || is_head) return;
  Carrier& carrier =
      *carriers_.emplace(id, std::make_unique<Carrier>(*this, id, std::move(answer.stream)))
           .first->second;
  connection_.add(carrier.stream(), carrier);
  Connection::open(carrier.stream());
}

void HttpServer::Http2::await(StreamId id, HttpAnswer& head) {
  laters_.emplace(id, head.later);
  Connection::await(head, [this, id](const HttpAnswer& given) {
    laters_.erase(id);
    session_->respond(id, given, false, connection_.date());
    send_soon();
  });
}

void HttpServer::Http2::on_bad_request(StreamId id, int status, std::string_view reason) {
  ++connection_.http().counters_.bad_requests;
  session_->respond(id, connection_.refusal(status, reason), false, connection_.date());
}

void HttpServer::Http2::on_drained(StreamId id) {
  const auto found = carriers_.find(id);
  if (found != carriers_.end()) Connection::drain(found->second->stream());
}

void HttpServer::Http2::on_closed(StreamId id, bool by_peer) {
  if (const auto later = laters_.extract(id); !later.empty()) Connection::forget(*later.mapped());
  const auto node = carriers_.extract(id);
  if (!node.empty()) connection_.remove(node.mapped()->stream());
  // A client that has been told that there is no room leaves its place to the next.
  if (connection_.over_limit() && !connection_.closing()) stop();
  if (by_peer && !taken_back_.take(connection_.http().loop_.now()) && !connection_.closing()) {
    connection_.abort();
  }
}

void HttpServer::Http2::on_gone() {
  soon_.reset();
  for (const auto& [id, later] : std::exchange(laters_, {})) Connection::forget(*later);
  for (const auto& [id, carrier] : std::exchange(carriers_, {})) {
    connection_.remove(carrier->stream());
  }
}

}  // namespace netkit
