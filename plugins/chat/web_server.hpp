// The room in a browser: the page, and the sessions of its users.
#pragma once

#include <chat/web_member.hpp>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/http/http_server.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/net/source_limits.hpp>
#include <netkit/plugin/host.hpp>

namespace netkit::chat {

// [loop] The page is at `/`. A session is a cookie: POST /room/join makes one, GET /room/events is
// its stream, POST /room/say takes a line, POST /room/leave ends it. Only pages of this server may
// POST, and Host has to be one of its names. A session whose page is away for a minute ends. One
// address joins so often, and has so many sessions, that there is room for others; loopback, where
// a proxy's clients come from, is not limited.
class WebServer {
 public:
  struct Options {
    AddressSpec address{};
    std::vector<FileDescriptor> sockets{};  // that listen there already; none: it opens its own
    Endpoint room{};                        // where members reach it from this machine
    std::vector<std::string> hosts{};       // --host
    std::size_t max_members = 10'000;       // at browsers
    std::size_t max_clients = 20'000;       // connections
    AccessList access{};
  };
  // Listens. Throws Error. `host` outlives it.
  WebServer(Host& host, Options options);

  std::vector<std::string> descriptions() const { return http_.tcp().descriptions(); }
  // As HttpServer has it.
  std::string announce_page() const { return http_.announce_page(); }
  std::size_t members() const { return members_.size(); }
  std::uint64_t refused_clients() const { return http_.tcp().counters().refused; }
  void close();

 private:
  // A session's place, counted for its address.
  class Place {
   public:
    Place(SourceShares& shares, const IpAddress& source) : shares_(shares), source_(source) {}
    ~Place() { shares_.give_back(source_); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    SourceShares& shares_;
    IpAddress source_;
  };
  struct Session {
    std::unique_ptr<Place> place;
    std::unique_ptr<WebMember> member;
  };

  HttpRoutes routes();
  std::string why_no_room(const IpAddress& source);
  HttpAnswer join(const HttpRequest& request);
  HttpAnswer events(const HttpRequest& request);
  HttpAnswer say(const HttpRequest& request);
  HttpAnswer leave(const HttpRequest& request);
  std::string token_of(const HttpRequest& request) const;
  WebMember* member_of(const HttpRequest& request) const;  // null: none
  std::string cookie(std::string_view token, std::string_view more) const;
  void share_out();
  void sweep();

  Host& host_;
  Options options_;
  std::string cookie_name_;
  HttpServer http_;  // has the streams of the members, who part from them first
  SourceShares shares_;
  SourceRateLimiter joins_;
  std::size_t most_events_ = 0;                          // bytes that are kept for one page
  std::map<std::string, Session, std::less<>> members_;  // by token
  Timer sweep_;
};

// The URL as a QR code for a terminal, of half blocks; with a newline at its end. Empty where it is
// too long for one.
std::string qr_code(std::string_view url);

}  // namespace netkit::chat
