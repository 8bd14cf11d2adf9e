// What `sse serve` answers to a request: the stream, the page, or what was wrong with it (RFC 9110,
// RFC 9112; CORS as https://fetch.spec.whatwg.org/#http-cors-protocol has it).
#pragma once

#include <sse/http_request.hpp>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/util/clock.hpp>

namespace netkit::sse {

enum class After {
  keep,    // the answer is whole, another request may follow
  close,   // the answer is whole, close when it is sent
  stream,  // the head of the stream: events follow until the connection closes
};

// `GET /` is the page, or the stream for who accepts text/event-stream. Every other path is the
// stream, whatever people call it and whatever a proxy puts before it, but for what browsers and
// crawlers ask every server for: icons, robots.txt and /.well-known/ are 404. HEAD gives the same
// heads, OPTIONS what is allowed. [one thread]
class Responder {
 public:
  // `cors` are the origins whose pages may read the stream, `*` among them for all. `page` is HTML.
  Responder(std::vector<std::string> cors, std::string page);

  // Appends the answer. A stream's connection ends with it, so that one event's bytes serve every
  // reader, without chunks around them.
  After answer(std::string& out, const HttpRequest& request, WallTime now) const;

  // Appends an answer to something that is not a request (400, 414, 431, 505), or cannot be
  // served (503); the connection is to be closed. `reason` is for people.
  static void refuse(std::string& out, int status, std::string_view reason, WallTime now);

 private:
  void append_cors(std::string& out, const HttpRequest& request) const;
  After stream(std::string& out, const HttpRequest& request, WallTime now) const;
  After preflight(std::string& out, const HttpRequest& request, WallTime now) const;

  std::vector<std::string> cors_;
  std::string page_;
};

// `Fri, 20 Nov 2026 15:12:29 GMT` (RFC 9110, section 5.6.7). Any thread.
void append_http_date(std::string& out, WallTime time);

}  // namespace netkit::sse
