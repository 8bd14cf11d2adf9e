// A whole HTTP server under clients who speak HTTP, and do not: requests of a grammar and raw
// bytes, pipelined, cut anywhere, from clients who do not read, half-close and vanish, while it
// streams to others and time passes. An input is a script of steps; after each one what the server
// holds is within its limits.
#include "fuzz/fuzz_check.hpp"
#include "fuzz/script.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include <netkit/http/http_server.hpp>
#include <netkit/plugin/fake_host.hpp>

namespace {

using namespace netkit;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kClients = 6;
constexpr std::size_t kMaxClients = 4;
constexpr std::size_t kToldWhenFull = 1;
constexpr std::size_t kHighWater = 4096;
constexpr std::size_t kLargestAnswer =
    2048;  // of what the routes say, and a chunk that is published
constexpr std::size_t kMaxBody = 500;

class Client;

// A connection without a socket: its other end is a Client.
class MemoryStream final : public ByteStream {
 public:
  MemoryStream(Client& client, Handler& handler);
  ~MemoryStream() override;

  void write(std::string_view data) override;
  void write(const SharedPayload& payload) override { write(std::string_view(*payload)); }
  void shutdown_write() override {}
  void close() override { closing_ = true; }
  void abort() override { dead_ = true; }
  void pause_reading() override { paused_ = true; }
  void resume_reading() override { paused_ = false; }
  std::size_t queued() const override { return queued_; }
  void set_water_marks(std::size_t low, std::size_t high) override { low_ = low, high_ = high; }
  Endpoint peer() const override { return Endpoint(*IpAddress::parse("127.0.0.1"), 9); }
  Endpoint local() const override { return Endpoint(*IpAddress::parse("127.0.0.1"), 80); }

  bool paused() const { return paused_ || closing_ || dead_; }
  bool alive() const { return !dead_; }
  bool over() const { return closing_ && queued_ == 0 && !dead_; }
  void receive(std::string_view data) { handler_.on_data(*this, data); }
  void end() { handler_.on_end(*this); }
  void closed(int error) {
    dead_ = true;
    handler_.on_closed(*this, error, {});
  }
  void read_by_client();

 private:
  Client& client_;
  Handler& handler_;
  std::size_t queued_ = 0;
  std::size_t low_ = 0;
  std::size_t high_ = SIZE_MAX;
  bool is_high_ = false;
  bool paused_ = false;
  bool closing_ = false;
  bool dead_ = false;
};

class Client {
 public:
  MemoryStream* stream = nullptr;  // null: not connected
  bool reads = true;
  std::string unsent;    // while the server does not read
  std::string received;  // its beginning

  void say(std::string_view data) {
    if (stream == nullptr || !stream->alive()) return;
    unsent += data;
    // Byte by byte now and then, as the script has it, is up to what it says at a time.
    if (!stream->paused()) stream->receive(std::exchange(unsent, {}));
  }
  void take(std::string_view data) {
    if (received.size() < 16) received += data.substr(0, 16);
  }
};

MemoryStream::MemoryStream(Client& client, Handler& handler) : client_(client), handler_(handler) {
  client_.stream = this;
  client_.unsent.clear();
  client_.received.clear();
}

MemoryStream::~MemoryStream() {
  if (client_.stream == this) client_.stream = nullptr;
}

void MemoryStream::write(std::string_view data) {
  if (dead_ || closing_) return;
  client_.take(data);
  if (client_.reads) return;
  queued_ += data.size();
  if (queued_ > high_ && !std::exchange(is_high_, true)) handler_.on_high_water(*this);
}

void MemoryStream::read_by_client() {
  queued_ = 0;
  if (!dead_ && std::exchange(is_high_, false)) handler_.on_low_water(*this);
}

HttpRoutes routes() {
  HttpRoutes made({.origins = {"http://a.example"},
                   .permits_host = [](std::string_view host) { return host == "a.example"; }});
  made.add("/", [](const HttpRequest&) {
    return HttpAnswer{.type = "text/plain", .body = std::string(kLargestAnswer / 2, 'x')};
  });
  made.add("/stream*", [](const HttpRequest&) {
    HttpAnswer answer{.type = "text/event-stream"};
    answer.stream = std::make_unique<HttpStream>();
    return answer;
  });
  made.add("POST", "/post", [](const HttpRequest& request) {
    FUZZ_CHECK(request.body.size() <= kMaxBody);
    return HttpAnswer::text(200, request.parameter("a").value_or("none"));
  });
  return made;
}

std::string request_of(fuzz::Script& script) {
  constexpr std::array<std::string_view, 6> kMethods{"GET", "POST", "HEAD", "OPTIONS", "PUT", "g"};
  constexpr std::array<std::string_view, 6> kTargets{"/", "/stream",           "/post?a=%41",
                                                     "*", "http://a.example/", "/nothing"};
  constexpr std::array<std::string_view, 9> kHeaders{
      "Host: a.example",          "Host: evil.example",         "Content-Length: 5",
      "Content-Length: 600",      "Transfer-Encoding: chunked", "Connection: close",
      "Origin: http://a.example", "Expect: 100-continue",       " folded"};
  constexpr std::array<std::string_view, 4> kBodies{"", "hello", "5\r\nhello\r\n0\r\n\r\n",
                                                    "ffffffff\r\n"};
  std::string out(kMethods[script.byte() % kMethods.size()]);
  out += ' ';
  out += kTargets[script.byte() % kTargets.size()];
  out += script.byte() % 8 == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n";
  for (unsigned chosen = script.byte() | 1U << 8U; chosen > 1; chosen >>= 1U) {
    if ((chosen & 1U) == 0) continue;
    out += kHeaders[script.byte() % kHeaders.size()];
    out += "\r\n";
  }
  out += "\r\n";
  out += kBodies[script.byte() % kBodies.size()];
  // A change somewhere.
  if (script.byte() % 4 == 0) out[script.byte() % out.size()] = static_cast<char>(script.byte());
  return out;
}

class Party {
 public:
  void step(fuzz::Script& script) {
    Client& client = clients_[script.byte() % kClients];
    switch (script.byte() % 9) {
      case 0:
        connect(client);
        break;
      case 1:
        connect(client);
        client.say(request_of(script));
        break;
      case 2:
        client.say(script.text());
        break;
      case 3:
        for (int i = 0; i < 20; ++i) client.say("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
        break;
      case 4:
        client.reads = !client.reads;
        break;
      case 5:
        if (client.stream != nullptr && client.stream->alive()) client.stream->end();
        break;
      case 6:
        if (client.stream != nullptr && client.stream->alive()) client.stream->closed(ECONNRESET);
        break;
      case 7:
        publish(script.byte());
        break;
      default:
        clock_.advance(std::chrono::milliseconds(100) * script.byte());
    }
    settle();
    check();
  }

  void rest() {
    for (Client& client : clients_) {
      if (client.stream != nullptr && client.stream->alive()) client.stream->closed(0);
    }
    settle();
    FUZZ_CHECK(http_.tcp().empty());
    FUZZ_CHECK(http_.streams() == 0);
  }

 private:
  static HttpServer::Options options() {
    HttpServer::Options made{.limits = {.max_line = 200, .max_head = 800, .max_body = kMaxBody},
                             .timeout_option = {}};
    made.tcp.max_clients = kMaxClients;
    made.tcp.limit_option = {};
    made.tcp.told_when_full = kToldWhenFull;
    made.tcp.low_water = kHighWater / 2;
    made.tcp.high_water = kHighWater;
    return made;
  }

  void connect(Client& client) {
    if (client.stream != nullptr) return;
    http_.tcp().adopt(Endpoint(*IpAddress::parse("127.0.0.1"), 9),
                      [&client](ByteStream::Handler& handler) {
                        return std::make_unique<MemoryStream>(client, handler);
                      });
  }

  void publish(std::size_t size) {
    const HttpChunk chunk(std::string(size + 1, 'e'));
    http_.for_each_stream([&chunk](HttpStream& stream) {
      if (stream.backed_up()) return stream.cut();
      stream.write(chunk);
    });
  }

  // What the kernel does meanwhile: it takes what is read, and closes what has been sent.
  void settle() {
    for (Client& client : clients_) {
      if (client.stream != nullptr && client.reads) client.stream->read_by_client();
      if (client.stream != nullptr && client.stream->over()) client.stream->closed(0);
      if (client.stream != nullptr && !client.stream->paused() && !client.unsent.empty()) {
        client.stream->receive(std::exchange(client.unsent, {}));
      }
    }
    loop_.run_once(Duration::zero());
  }

  void check() const {
    FUZZ_CHECK(http_.tcp().size() <= kMaxClients + kToldWhenFull);
    for (const Client& client : clients_) {
      if (client.stream == nullptr) continue;
      FUZZ_CHECK(client.stream->queued() <= kHighWater + kLargestAnswer);
      FUZZ_CHECK(client.received.empty() || client.received.starts_with("HTTP/1.1 ") ||
                 std::string_view("HTTP/1.1 ").starts_with(client.received));
    }
  }

  test::FakeClock clock_;
  EventLoop loop_{clock_};
  Log log_{"", LogLevel::error};
  std::array<Client, kClients> clients_;
  HttpServer http_{loop_, log_, options(), routes()};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Party party;
  fuzz::Script script(data, size);
  for (int steps = 0; !script.done() && steps < 500; ++steps) party.step(script);
  party.rest();
  return 0;
}
