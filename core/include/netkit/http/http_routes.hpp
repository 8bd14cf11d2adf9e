// What a server answers to which request.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <netkit/http/http_request.hpp>
#include <netkit/http/http_stream.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

struct HttpAnswer;

// An answer that is given later; there is no time limit. [loop]
class NETKIT_API HttpLater {
 public:
  // Does nothing if the peer has gone, or the second time.
  void give(const HttpAnswer& answer);

 private:
  friend class HttpServer;
  using Give = std::function<void(const HttpAnswer& answer)>;
  Give give_;
};

struct HttpAnswer {
  int status = 200;
  std::string type{};      // Content-Type; empty: no body, and no header about one
  std::string headers{};   // further ones: `Name: value\r\n` each
  std::string body{};      // of a stream: what it begins with
  bool is_shared = false;  // with the origins that CORS lets in
  // If there is one, the answer continues with what is written to it.
  std::unique_ptr<HttpStream> stream{};
  // If there is one, the answer is what is passed to it, with the headers of this one.
  std::shared_ptr<HttpLater> later{};

  // In plain text, with a newline at its end.
  NETKIT_API static HttpAnswer text(int status, std::string_view text);
};

// The routes of a server, and the rules that hold for all of them. [one thread]
class NETKIT_API HttpRoutes {
 public:
  using Route = std::function<HttpAnswer(const HttpRequest& request)>;
  struct Options {
    std::vector<std::string> origins{};  // whose pages may read shared answers; `*` for all
    std::string cors_headers{};          // that those pages may send: `Accept, Last-Event-ID`
    bool credentials = false;            // cookies and logins as well; not with `*`
    // Whether the server has that name (`a.example:8000`, as in Host); requests for others get 421.
    // Empty: it answers to any name. http::own_hosts() keeps foreign pages out.
    std::function<bool(std::string_view host)> permits_host{};
    std::string_view host_option = "--host";  // that gives it more names; empty: there is none
  };

  HttpRoutes() = default;
  explicit HttpRoutes(Options options) : options_(std::move(options)) {}

  // `path` is a whole path, or a prefix if it ends in `*`; the first match counts. A route for GET
  // answers HEAD as well: the body is left out later. OPTIONS is answered for every path.
  void add(std::string path, Route get) { add("GET", std::move(path), std::move(get)); }
  void add(std::string method, std::string path, Route route);

  // The answer: a route's, or 204, 400, 404, 405, 421. `origin` headers are added to it.
  HttpAnswer answer(const HttpRequest& request) const;

 private:
  struct Entry {
    std::string method;
    std::string path;
    Route route;
  };
  HttpAnswer route(const HttpRequest& request) const;
  HttpAnswer options_answer(const HttpRequest& request) const;
  std::vector<std::string_view> methods_for(std::string_view path) const;
  std::string origin_headers(const HttpRequest& request) const;

  Options options_;
  std::vector<Entry> entries_;
};

}  // namespace netkit
