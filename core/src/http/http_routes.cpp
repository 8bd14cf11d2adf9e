#include <algorithm>

#include <fmt/format.h>

#include <netkit/http/http_routes.hpp>

namespace netkit {
namespace {

bool fits(std::string_view pattern, std::string_view path) {
  if (!pattern.ends_with('*')) return path == pattern;
  return path.starts_with(pattern.substr(0, pattern.size() - 1));
}

// `GET, HEAD, OPTIONS`; with a last separator, `GET, HEAD and OPTIONS`.
std::string joined(const std::vector<std::string_view>& words, std::string_view last = ", ") {
  std::string text;
  for (const std::string_view& word : words) {
    if (!text.empty()) text += &word == &words.back() ? last : ", ";
    text += word;
  }
  return text;
}

}  // namespace

HttpAnswer HttpAnswer::text(int status, std::string_view text) {
  return {.status = status,
          .type = "text/plain; charset=utf-8",
          .headers = "X-Content-Type-Options: nosniff\r\n",
          .body = std::string(text) + '\n'};
}

void HttpRoutes::add(std::string method, std::string path, Route route) {
  entries_.push_back({std::move(method), std::move(path), std::move(route)});
}

HttpAnswer HttpRoutes::answer(const HttpRequest& request) const {
  HttpAnswer answer = route(request);
  if (answer.is_shared) answer.headers += origin_headers(request);
  return answer;
}

HttpAnswer HttpRoutes::route(const HttpRequest& request) const {
  if (options_.permits_host && !options_.permits_host(request.header("Host").value_or(""))) {
    constexpr std::string_view kWrongHost = "this server does not have that host name";
    const std::string_view option = options_.host_option;
    return HttpAnswer::text(
        421, option.empty() ? std::string(kWrongHost) : fmt::format("{} ({})", kWrongHost, option));
  }
  if (request.method == "OPTIONS") return options_answer(request);
  const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
  for (const Entry& entry : entries_) {
    if (entry.method == method && fits(entry.path, request.path)) return entry.route(request);
  }
  const std::vector<std::string_view> methods = methods_for(request.path);
  if (std::find(methods.begin(), methods.end(), method) != methods.end()) {
    return HttpAnswer::text(400, "only OPTIONS may be used with *");
  }
  if (methods.size() <= 1) return HttpAnswer::text(404, "not found");
  HttpAnswer answer =
      HttpAnswer::text(405, fmt::format("only {} are supported here", joined(methods, " and ")));
  answer.headers += fmt::format("Allow: {}\r\n", joined(methods));
  return answer;
}

// `*` is the server as a whole: what any of its paths has.
std::vector<std::string_view> HttpRoutes::methods_for(std::string_view path) const {
  std::vector<std::string_view> methods;
  const auto add_once = [&](std::string_view method) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) {
      methods.push_back(method);
    }
  };
  for (const Entry& entry : entries_) {
    if (path != "*" && !fits(entry.path, path)) continue;
    add_once(entry.method);
    if (entry.method == "GET") add_once("HEAD");
  }
  add_once("OPTIONS");
  return methods;
}

HttpAnswer HttpRoutes::options_answer(const HttpRequest& request) const {
  const std::string methods = joined(methods_for(request.path));
  HttpAnswer answer{.status = 204, .headers = fmt::format("Allow: {}\r\n", methods)};
  if (options_.origins.empty()) return answer;
  answer.headers += origin_headers(request);
  answer.headers += fmt::format(
      "Access-Control-Allow-Methods: {}\r\nAccess-Control-Allow-Headers: {}\r\n"
      "Access-Control-Max-Age: 86400\r\n",
      methods, options_.cors_headers);
  return answer;
}

// Another origin than those that are let in gets no header, which is how a browser learns of it.
std::string HttpRoutes::origin_headers(const HttpRequest& request) const {
  if (options_.origins.empty()) return {};
  const auto allows = [this](std::string_view origin) {
    return std::find(options_.origins.begin(), options_.origins.end(), origin) !=
           options_.origins.end();
  };
  if (allows("*")) return "Access-Control-Allow-Origin: *\r\n";
  const std::string_view origin = request.header("Origin").value_or("");
  if (!allows(origin)) return "Vary: Origin\r\n";
  return fmt::format("Vary: Origin\r\nAccess-Control-Allow-Origin: {}\r\n{}", origin,
                     options_.credentials ? "Access-Control-Allow-Credentials: true\r\n" : "");
}

}  // namespace netkit
