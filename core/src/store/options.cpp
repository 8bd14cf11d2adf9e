#include <cstdlib>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/store/options.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit::store {

namespace {

using Kind = ValueKind;

constexpr std::size_t kMaxKept = 1'000'000;
constexpr std::string_view kPasswordVariable = "NETKIT_STORE_PASSWORD";

// A password on the command line is visible to everybody who lists the processes.
void refuse_password(std::string_view url, std::string_view option) {
  const std::size_t begin = url.find("//");
  if (begin == std::string_view::npos) return;
  const std::string_view authority = url.substr(begin + 2, url.find('/', begin + 2) - begin - 2);
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos || authority.substr(0, at).find(':') == std::string_view::npos) {
    return;
  }
  throw UsageError(fmt::format(
      "{}: a password in a URL is visible to other users (use {} or --store-password-file)", option,
      kPasswordVariable));
}

void check_url(std::string_view url, std::string_view option) {
  if (scheme_of(url).empty() || url.starts_with("/")) {
    throw UsageError(
        fmt::format("{}: '{}' is not a store (write sqlite:FILE or redis://HOST:PORT/PREFIX)",
                    option, escaped_text(url)));
  }
  refuse_password(url, option);
}

std::string password_of_environment() {
  const char* const password = ::secure_getenv(std::string(kPasswordVariable).c_str());
  return password == nullptr ? std::string() : std::string(password);
}

std::string read_password(const Values& values) {
  if (values.has("store-password-file")) return secret_of(values, "store-password-file");
  return password_of_environment();
}

}  // namespace

std::vector<OptionDef> options() {
  return {{.name = "store",
           .kind = Kind::text,
           .value_name = "URL",
           .help = "keep entries in a store that several servers may share: sqlite:FILE or "
                   "redis://HOST:PORT/PREFIX"},
          {.name = "store-queue",
           .kind = Kind::integer,
           .default_value = "10000",
           .help = "entries to queue while it is unavailable; more are refused",
           .min = 1,
           .max = 10'000'000,
           .needs = {"store"}},
          {.name = "store-password-file",
           .kind = Kind::path,
           .help = "the file that holds the store's password, as its only line",
           .needs = {"store"}},
          {.name = "store-cacert",
           .kind = Kind::path,
           .help = "PEM certificates to trust for the store",
           .needs = {"store"}},
          {.name = "reconnect",
           .default_value = "forever",
           .help = "how many times in a row to retry when the store cannot be reached",
           .needs = {"store"}}};
}

std::vector<TotalDef> totals() {
  return {{"store_appended", "entries appended to --store"},
          {"store_received", "entries of other servers received from --store"},
          {"store_refused", "entries refused by --store or because --store-queue was full"},
          {"store_lost", "entries lost by --store, or trimmed before they were read"},
          {"store_skipped", "entries of other programs in --store that are not valid"},
          {"store_outages", "number of times --store was unavailable"},
          {"store_waiting", "entries waiting for --store", kGauge}};
}

void show_none(Totals& totals) {
  for (const char* name : {"store_appended", "store_received", "store_refused", "store_lost",
                           "store_skipped", "store_outages", "store_waiting"}) {
    totals.add(name, std::uint64_t{0});
  }
}

bool is_wanted(const Values& values) {
  if (!values.has("store")) return false;
  check_url(values.text("store"), "--store");
  return true;
}

Stream::Options read_options(const Values& values, std::string_view stream, std::size_t keep) {
  Stream::Options options;
  Settings& settings = options.settings;
  settings.url = values.text("store");
  check_url(settings.url, "--store");
  settings.stream = stream;
  settings.keep = keep;
  settings.newest = keep;
  settings.writer = random_id();
  settings.password = read_password(values);
  settings.ca_file = values.text("store-cacert");
  settings.reconnect = reconnect_options(values);
  options.queue = static_cast<std::size_t>(values.integer("store-queue"));
  return options;
}

Settings settings_of(const Place& place) {
  Settings settings;
  settings.url = place.url;
  settings.option = place.option;
  settings.stream = place.stream;
  settings.since = place.since;
  settings.keep = kMaxKept;  // how much a server of the stream keeps is up to its --keep
  settings.writer = random_id();
  settings.password = password_of_environment();
  settings.reconnect.limit = Reconnect::kForever;
  return settings;
}

Place read_place(std::string_view text, std::string_view option) {
  Place place;
  place.option = option;
  std::string_view query;
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  const std::size_t slash = text.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == text.size()) {
    throw UsageError(
        fmt::format("{}: '{}' names no stream (write sqlite:FILE/STREAM or "
                    "redis://HOST:PORT/PREFIX/STREAM)",
                    option, escaped_text(text)));
  }
  place.url = text.substr(0, slash);
  place.stream = text.substr(slash + 1);
  std::string rest;
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (!part.starts_with("since=")) {
      rest += fmt::format("{}{}", rest.empty() ? '?' : '&', part);
      continue;
    }
    const std::string_view since = part.substr(6);
    const auto number = read_integer<std::uint64_t>(since);
    if (since != "all" && (!number || *number == 0)) {
      throw UsageError(fmt::format("{}: since={} is not a number from 1 on, or all", option,
                                   escaped_text(since)));
    }
    place.since = since == "all" ? 1 : *number;
  }
  place.url += rest;
  check_url(place.url, option);
  return place;
}

}  // namespace netkit::store
