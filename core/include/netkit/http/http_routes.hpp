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

// An answer that is not known yet. It is waited for without a limit. [loop]
class NETKIT_API HttpLater {
 public:
  // Nothing happens where the peer has gone, nor the second time.
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
  // Where there is one, the answer continues with what is written to it.
  std::unique_ptr<HttpStream> stream{};
  // Where there is one, the answer is what is given to it, with the headers of this one.
  std::shared_ptr<HttpLater> later{};

  // In plain text, with a newline at its end.
  NETKIT_API static HttpAnswer text(int status, std::string_view text);
};

// The routes of a server, and the rules that hold for all of them. [one thread]
class NETKIT_API HttpRoutes {
 public:
  using Route = std::function<HttpAnswer(const HttpRequest& request)>;
  struct Options {
    std::vector<std::string> origins{};  // whose pages may read what is shared, `*` for all
    std::string cors_headers{};          // that those pages may send: `Accept, Last-Event-ID`
    bool credentials = false;            // and cookies and logins; not by `*`
    // Whether the server goes by that name (`a.example:8000`, as Host has it); others get 421.
    // None: it answers to any. http::own_hosts() keeps foreign pages out.
    std::function<bool(std::string_view host)> permits_host{};
    std::string_view host_option = "--host";  // which gives it further names; empty: nothing does
  };

  HttpRoutes() = default;
  explicit HttpRoutes(Options options) : options_(std::move(options)) {}

  // `path` is all of it, or what it begins with where it ends in `*`; the first that fits counts.
  // A route for GET answers HEAD as well: without the body, which is left out later. OPTIONS is
  // answered for every path.
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
