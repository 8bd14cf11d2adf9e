#include <algorithm>
#include <array>
#include <chat/web_page.hpp>
#include <chat/web_server.hpp>
#include <cstdint>
#include <optional>
#include <qrencode.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/http/http_text.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

constexpr Duration kSweep = std::chrono::seconds(10);  // also of what keeps streams alive
constexpr Duration kAway = std::chrono::minutes(1);
// How much may be kept for pages that do not read, in total and for each.
constexpr std::size_t kEvents = std::size_t{256} << 20U;
constexpr std::size_t kEventsOfOne = std::size_t{1} << 20U;
// How often one address may join: some at once, then so many a second.
constexpr double kJoinsAtOnce = 50;
constexpr double kJoinsPerSecond = 5;

constexpr std::string_view kGuarded =
    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n";

HttpAnswer file(std::string_view type, std::string_view body) {
  return {.type = fmt::format("{}; charset=utf-8", type),
          .headers = std::string(kGuarded),
          .body = std::string(body)};
}

// Browsers send Origin with every POST, whoever made the page. A proxy that ends TLS has made https
// of it.
bool is_own_page(const HttpRequest& request) {
  const auto origin = request.header("Origin");
  if (!origin) return true;
  constexpr std::array<std::string_view, 2> kSchemes = {"http://", "https://"};
  return std::ranges::any_of(kSchemes, [&](std::string_view scheme) {
    return origin->starts_with(scheme) &&
           http::equal_without_case(origin->substr(scheme.size()),
                                    request.header("Host").value_or(""));
  });
}

std::string random_text() {
  std::array<char, 16> bytes{};
  fill_random(bytes.data(), bytes.size());
  return encode_hex({bytes.data(), bytes.size()});
}

HttpServer::Options http_options(const WebServer::Options& options) {
  HttpServer::Options http{.limits = {.max_body = kMaxText}, .timeout_option = {}};
  http.tcp.access = options.access;
  http.tcp.max_clients = options.max_clients;
  return http;
}

}  // namespace

WebServer::WebServer(Host& host, Options options)
    : host_(host),
      options_(std::move(options)),
      http_(host.loop(), host.log(), http_options(options_), routes()),
      shares_(options_.max_members),
      joins_({.per_second = kJoinsPerSecond, .burst = kJoinsAtOnce, .seed = random_number()}) {
  if (options_.sockets.empty()) http_.tcp().listen(options_.address);
  for (FileDescriptor& socket : options_.sockets) http_.tcp().listen(std::move(socket));
  cookie_name_ = fmt::format("netkit_chat_{}", http_.tcp().locals().front().port());
  sweep_ = host.loop().every(kSweep, [this] { sweep(); });
}

void WebServer::close() {
  http_.tcp().stop_accepting();
  sweep_.reset();
  members_.clear();
  http_.close();
}

HttpRoutes WebServer::routes() {
  std::vector<std::string> names = options_.hosts;
  names.push_back(options_.address.host);
  HttpRoutes routes({.permits_host = http::own_hosts(std::move(names))});
  routes.add("/", [](const HttpRequest&) { return file("text/html", web_page()); });
  routes.add("/chat.js", [](const HttpRequest&) { return file("text/javascript", web_script()); });
  routes.add("/chat.css", [](const HttpRequest&) { return file("text/css", web_style()); });
  routes.add("/room/events", [this](const HttpRequest& request) { return events(request); });
  using Action = HttpAnswer (WebServer::*)(const HttpRequest&);
  for (const auto& [path, action] : {std::pair<const char*, Action>{"/room/join", &WebServer::join},
                                     {"/room/say", &WebServer::say},
                                     {"/room/leave", &WebServer::leave}}) {
    routes.add("POST", path, [this, answer = action](const HttpRequest& request) {
      if (!is_own_page(request))
        return HttpAnswer::text(403, "only pages of this server may do so");
      return (this->*answer)(request);
    });
  }
  return routes;
}

std::string WebServer::token_of(const HttpRequest& request) const {
  std::string_view rest = request.header("Cookie").value_or("");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = http::trim_blanks(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.starts_with(cookie_name_ + "="))
      return std::string(pair.substr(cookie_name_.size() + 1));
  }
  return {};
}

WebMember* WebServer::member_of(const HttpRequest& request) const {
  const auto found = members_.find(token_of(request));
  if (found == members_.end()) return nullptr;
  WebMember* const member = found->second.member.get();
  return member->ended() ? nullptr : member;
}

std::string WebServer::cookie(std::string_view token, std::string_view more) const {
  return fmt::format("Set-Cookie: {}={}; HttpOnly; SameSite=Strict; Path=/{}\r\n", cookie_name_,
                     token, more);
}

// Empty: there is. Then a place is taken.
std::string WebServer::why_no_room(const IpAddress& source) {
  if (members_.size() >= options_.max_members) return "the room is full";
  if (!source.is_loopback() && !joins_.allow(source, host_.loop().now())) {
    return "too many members are joining from this address";
  }
  if (!shares_.take(source)) {
    return share_text(shares_.share(), options_.max_members, "--max-members");
  }
  return {};
}

// A member that comes back under the same name continues where it was.
HttpAnswer WebServer::join(const HttpRequest& request) {
  const std::string name = normal_name(trim_white_space(request.parameter("name").value_or("")));
  const std::string_view why = why_not_a_name(name);
  if (!why.empty()) return HttpAnswer::text(400, fmt::format("the name {}", why));
  const auto since = read_integer<std::uint64_t>(request.parameter("since").value_or("0"));
  if (!since) return HttpAnswer::text(400, "since is the number of a message, or 0");
  const WebMember* const before = member_of(request);
  if (before != nullptr && before->name() == name) return HttpAnswer{.status = 204};
  members_.erase(token_of(request));
  const IpAddress source = request.peer.address();
  const std::string full = why_no_room(source);
  if (!full.empty()) return HttpAnswer::text(503, full);
  auto place = std::make_unique<Place>(shares_, source);
  const std::string token = random_text();
  try {
    auto member =
        std::make_unique<WebMember>(host_, options_.room, random_text(), name,
                                    *since == 0 ? since_last(kLastShown) : *since, most_events_);
    members_.emplace(token, Session{std::move(place), std::move(member)});
  } catch (const Error& error) {
    return HttpAnswer::text(503, error.what());
  }
  share_out();
  return {.status = 204, .headers = cookie(token, "")};
}

HttpAnswer WebServer::events(const HttpRequest& request) {
  // Of one that has ended as well: the reason is among them.
  const auto found = members_.find(token_of(request));
  if (found == members_.end()) return HttpAnswer::text(401, "join first: POST /room/join");
  HttpAnswer answer{.type = "text/event-stream", .headers = std::string(kGuarded)};
  answer.headers += "X-Accel-Buffering: no\r\n";
  const std::string asked = request.parameter("after").value_or("");
  answer.stream = found->second.member->listen(request.header("Last-Event-ID").value_or(asked));
  return answer;
}

HttpAnswer WebServer::say(const HttpRequest& request) {
  WebMember* const member = member_of(request);
  if (member == nullptr) return HttpAnswer::text(401, "join first: POST /room/join");
  if (member->full())
    return HttpAnswer::text(503, "the room has not accepted earlier messages yet");
  const std::string wrong = member->say(request.body);
  return wrong.empty() ? HttpAnswer{.status = 204} : HttpAnswer::text(400, wrong);
}

HttpAnswer WebServer::leave(const HttpRequest& request) {
  const std::string token = token_of(request);
  const auto found = members_.find(token);
  if (found != members_.end()) members_.erase(found);
  return {.status = 204, .headers = cookie("", "; Max-Age=0")};
}

void WebServer::share_out() {
  most_events_ = std::min(kEventsOfOne, kEvents / std::max<std::size_t>(members_.size(), 1));
}

void WebServer::sweep() {
  const TimePoint now = host_.loop().now();
  std::erase_if(members_, [now](const auto& one) {
    const WebMember& member = *one.second.member;
    return !member.heard() && (member.ended() || now - member.unheard_since() >= kAway);
  });
  share_out();
  for (const auto& [token, session] : members_) session.member->keep_alive();
}

std::string qr_code(std::string_view url) {
  constexpr int kQuiet = 2;  // modules of a margin
  const std::string text(url);
  const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
      ::QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_L, QR_MODE_8, 1), &QRcode_free);
  if (!code) return {};
  const auto is_dark = [&code](int x, int y) {
    const bool inside = x >= 0 && y >= 0 && x < code->width && y < code->width;
    return inside && (code->data[y * code->width + x] & 1U) != 0;
  };
  // Light modules are drawn, as most terminals are dark.
  std::string out;
  for (int y = -kQuiet; y < code->width + kQuiet; y += 2) {
    for (int x = -kQuiet; x < code->width + kQuiet; ++x) {
      const bool upper = !is_dark(x, y);
      const bool lower = !is_dark(x, y + 1);
      out += upper && lower ? "\u2588" : upper ? "\u2580" : lower ? "\u2584" : " ";
    }
    out += '\n';
  }
  return out;
}

}  // namespace netkit::chat
