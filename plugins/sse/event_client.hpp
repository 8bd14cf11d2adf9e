// One connection of EventServer.
#pragma once

#include <cstdint>
#include <memory>
#include <sse/event_server.hpp>
#include <sse/http_request.hpp>
#include <string_view>

#include <netkit/net/tcp_stream.hpp>

namespace netkit::sse {

// Owned by the server's list; `slot` is its place there. First it speaks HTTP; from the answer that
// is the stream on it only writes. A reader that does not keep up gets no more than its queue takes
// and goes on from the ring when it has taken that: no event is doubled, and those that the ring
// has lost by then are named in a comment. What it gets from the ring goes out a piece a turn, so
// that a long replay keeps no other reader waiting. [loop]
class EventClient final : public ByteStream::Handler {
 public:
  EventClient(EventServer& server, const Endpoint& peer) : server_(server), peer_(peer) {}

  // Takes the connection; to be called once.
  void start(FileDescriptor socket);
  // Answers 503 to whatever it asks, and closes.
  void refuse_all() { refusing_ = true; }
  void close();
  // Closes once it has every event that there is.
  void finish();
  // The events `from` to `to` - 1 as one payload.
  void push(const SharedPayload& payload, std::uint64_t from, std::uint64_t to);
  void push_comment(const SharedPayload& payload);
  bool streaming() const { return streaming_; }
  const Endpoint& peer() const { return peer_; }

  std::size_t slot = 0;

  void on_data(ByteStream& stream, std::string_view data) override;
  void on_closed(ByteStream& stream, int error, std::string_view reason) override;
  void on_high_water(ByteStream& stream) override;
  void on_low_water(ByteStream& stream) override;

 private:
  void send(std::string_view bytes);
  void send(const SharedPayload& payload);
  void answer(const HttpRequest& request);
  void begin_stream(const HttpRequest& request, std::string& out);
  void refuse(int status, std::string_view reason);
  void wait_for_request();
  void catch_up();
  void report_loss(std::uint64_t from, std::uint64_t to);

  EventServer& server_;
  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<HttpRequestParser> parser_;  // until the stream begins
  Timer timer_;  // until which a request has to have come; then the next piece of a replay
  Endpoint peer_;
  std::uint64_t next_ = 0;  // the id of the event that it gets next
  bool streaming_ = false;
  bool lagging_ = false;
  bool refusing_ = false;
  bool finishing_ = false;
  bool closing_ = false;
};

}  // namespace netkit::sse
