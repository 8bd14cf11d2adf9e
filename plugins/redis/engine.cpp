#include <algorithm>
#include <iterator>
#include <redis/engine.hpp>
#include <redis/entry.hpp>
#include <redis/scripts.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/store/packed.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit::redis {

namespace {

using store::Entry;

// Entries that are read at once: those of chat and push are well below what an answer may take, and
// where others turn out not to be, fewer are read.
constexpr std::uint64_t kPage = 200;
// Bytes that are read backwards, and of the last entries of topics.
constexpr std::size_t kMostOlder = std::size_t{256} << 20U;
constexpr std::size_t kMostMoves = 16;  // from node to node, until one has the stream
constexpr Duration kPause =
    std::chrono::milliseconds(20);                   // before it is asked again, if it has nothing
constexpr Duration kPing = std::chrono::seconds(3);  // while nothing else is asked
constexpr Duration kBlock = std::chrono::seconds(10);  // how long XREAD waits
constexpr std::string_view kBlockMilliseconds = "10000";

std::string fresh_number() {
  std::uint64_t number = 0;
  fill_random(&number, sizeof number);
  return std::to_string((number >> 1U) | 1U);
}

// What Redis means by an error, in half a sentence; the first word is not always in front, as a
// script's own text may stand there.
struct Meaning {
  std::string_view word;
  std::string_view why;
};

constexpr Meaning kPassing[] = {{"LOADING", "is loading its data"},
                                {"READONLY", "is a read-only replica"},
                                {"MASTERDOWN", "is a replica that has lost its master"},
                                {"CLUSTERDOWN", "is a cluster that is down"},
                                {"TRYAGAIN", "is a cluster that moves its keys"},
                                {"BUSY ", "is busy with a script"},
                                {"NOSCRIPT", "has forgotten a script"}};
constexpr Meaning kRefusing[] = {{"OOM", "its memory is full (maxmemory)"},
                                 {"MISCONF", "it cannot save to its disk"},
                                 {"NOREPLICAS", "it has too few replicas"}};

template <std::size_t size>
std::string_view meaning_of(std::string_view error, const Meaning (&table)[size]) {
  for (const Meaning& one : table) {
    if (error.find(one.word) != std::string_view::npos) return one.why;
  }
  return {};
}

std::size_t size_of(const Entry& entry) {
  std::size_t size = sizeof entry + entry.text.size() + entry.topic.size();
  for (const store::Field& field : entry.fields) {
    size += sizeof field + field.name.size() + field.value.size();
  }
  return size;
}

}  // namespace

RedisEngine::RedisEngine(const store::Surroundings& around, Url url, store::Settings settings,
                         store::Engine::Handler& handler)
    : around_(around),
      url_(std::move(url)),
      settings_(std::move(settings)),
      handler_(handler),
      keys_(url_.prefix, settings_.stream),
      page_(kPage) {
  if (url_.tls) tls_ = TlsContext::client({.ca_file = settings_.ca_file});
  main_ = connect(url_.servers, settings_.reconnect, around_.log, url_.sentinel.empty());
}

RedisEngine::~RedisEngine() = default;

// ---- connections

std::unique_ptr<Connection> RedisEngine::connect(std::vector<AddressSpec> servers,
                                                 const Reconnect::Options& reconnect,
                                                 const Log& log, bool logs_in) {
  TcpClient::Options options{.servers = std::move(servers),
                             .connect_timeout = Connection::kPatience,
                             .reconnect = reconnect,
                             .tcp = {.no_delay = true, .keepalive = true},
                             .tls = tls_};
  options.is_confirmed = true;
  Connection::Login login;
  if (logs_in) login = {url_.user, settings_.password};
  Connection::Handler& handler = *this;
  return std::make_unique<Connection>(around_.loop, log, std::move(options), std::move(login),
                                      handler);
}

void RedisEngine::ask_sentinel() {
  main_->send({"SENTINEL", "get-master-addr-by-name", url_.sentinel}, [this](const Reply& reply) {
    if (reply.is_error()) return retry(escaped_text(reply.text()));
    if (reply.size() != 2) return retry(fmt::format("knows no master '{}'", url_.sentinel));
    go_to(reply[0].text(), reply[1].text());
  });
}

void RedisEngine::go_to(std::string_view host, std::string_view port) {
  if (++moves_ > kMostMoves) return retry("is a cluster that redirects from node to node");
  forget_others();
  AddressSpec address{.host = std::string(host),
                      .port = read_integer<std::uint16_t>(port).value_or(0)};
  redirected_ = connect({std::move(address)}, {}, silent_, true);
  redirected_->start();
}

// Not from within their own callbacks.
void RedisEngine::forget_others() {
  follow_.reset();
  for (std::unique_ptr<Connection>* one : {&follower_, &redirected_}) {
    if (*one) (*one)->stop();
    around_.loop.destroy_later(std::move(*one));
  }
}

void RedisEngine::on_ready(Connection& connection) {
  if (failed_) return;
  if (&connection == follower_.get()) return follow();
  if (&connection == main_.get() && !url_.sentinel.empty()) return ask_sentinel();
  attach();
}

void RedisEngine::on_lost(Connection& connection) {
  if (connection.has_outgrown()) page_ = std::max<std::uint64_t>(page_ / 4, 1);
  if (&connection != main_.get()) {
    if (&connection == follower_.get() || &connection == redirected_.get()) {
      retry("the connection to the store is lost");
    }
    return;
  }
  ping_.reset();
  moves_ = 0;
  forget_others();
  if (std::exchange(open_, false)) handler_.on_away();
}

void RedisEngine::on_gave_up(Connection& connection, ExitStatus status, const std::string& error) {
  const bool is_current = &connection == follower_.get() || &connection == redirected_.get();
  if (&connection == main_.get() || (is_current && status == ExitStatus::permission)) {
    return fail(status, error);
  }
  if (is_current) retry(error);
}

void RedisEngine::fail(ExitStatus status, const std::string& why) {
  if (std::exchange(failed_, true)) return;
  open_ = false;
  ping_.reset();
  main_->stop();
  forget_others();
  handler_.on_failed(status, why);
}

bool RedisEngine::is_trouble(const Reply& reply) {
  if (!reply.is_error()) return false;
  const std::string error(reply.text());
  if (error.starts_with("MOVED ")) {
    const std::string_view place = std::string_view(error).substr(error.rfind(' ') + 1);
    const std::size_t colon = place.rfind(':');
    go_to(place.substr(0, colon), place.substr(colon + 1));
  } else if (error.find("NOAUTH") != std::string::npos ||
             error.find("NOPERM") != std::string::npos ||
             error.find("WRONGPASS") != std::string::npos) {
    fail(ExitStatus::permission,
         fmt::format("{}: the store requires a login, or rejects it: {} (NETKIT_STORE_PASSWORD or "
                     "--store-password-file)",
                     commands().server(), escaped_text(error)));
  } else if (const std::string_view why = meaning_of(error, kPassing); !why.empty()) {
    retry(why);
  } else if (error.find("EPOCH") != std::string::npos) {
    reopen();
  } else {
    return false;
  }
  return true;
}

// ---- the stream is opened

void RedisEngine::attach() {
  commands().send({"ROLE"}, [this](const Reply& reply) {
    if (is_trouble(reply)) return;
    if (reply[0].text() == "slave") return retry("is a read-only replica");
    send_attach();
  });
}

void RedisEngine::send_attach() {
  const std::string keys[] = {keys_.stream, keys_.state};
  std::vector<std::string> arguments{std::to_string(state_.stream), std::to_string(known_),
                                     fresh_number(), fresh_number()};
  commands().send({"SCRIPT", "LOAD", kAppend}, [this](const Reply& reply) {
    append_script_ = reply.is_error() ? std::string() : std::string(reply.text());
  });
  commands().eval(kAttach, keys, std::move(arguments),
                  [this](const Reply& reply) { on_attached(reply); });
}

void RedisEngine::on_attached(const Reply& reply) {
  if (is_trouble(reply)) return;
  if (reply.is_error() && reply.text().find("WRONGTYPE") != std::string_view::npos) {
    return fail(ExitStatus::config,
                fmt::format("{}: '{}' is not a stream of a store; choose another prefix",
                            commands().server(), keys_.stream));
  }
  if (reply.size() != 4) return retry(fmt::format("refuses: {}", escaped_text(reply.text())));
  state_ = {.stream = reply[0].number(),
            .epoch = reply[1].number(),
            .last = reply[2].number(),
            .survived = reply[3].number()};
  known_ = std::max(known_, state_.last);
  if (!settings_.follow) return be_open();
  if (next_ == 0 && settings_.since != 0) {
    next_ = settings_.since;
    position_ = "-";
    return read_forwards();
  }
  if (next_ == 0) next_ = state_.last + 1 - std::min(settings_.newest, state_.last);
  position_ = "0-0";
  older_.clear();
  older_size_ = 0;
  read_backwards("+");
}

// All there is, page by page.
void RedisEngine::read_forwards() {
  commands().send({"XRANGE", keys_.stream, position_, "+", "COUNT", page()},
                  [this](const Reply& reply) {
                    if (is_trouble(reply)) return;
                    std::vector<Entry> entries;
                    for (std::size_t i = 0; i < reply.size(); ++i) {
                      if (auto entry = read_entry(reply[i])) entries.push_back(*std::move(entry));
                    }
                    tell(std::move(entries));
                    if (reply.size() == 0) {
                      if (position_ == "-") position_ = "0-0";
                      if (position_.starts_with('(')) position_.erase(0, 1);
                      return be_open();
                    }
                    position_ = fmt::format("({}", reply[reply.size() - 1][0].text());
                    read_forwards();
                  });
}

// The newest ones, as far as they are wanted.
void RedisEngine::read_backwards(const std::string& before) {
  commands().send({"XREVRANGE", keys_.stream, before, "-", "COUNT",
                   std::to_string(std::min(count_wanted(), page_))},
                  [this](const Reply& reply) { on_older(reply); });
}

std::uint64_t RedisEngine::count_wanted() const {
  return state_.last + 1 - std::min(next_, state_.last) - older_.size();
}

void RedisEngine::on_older(const Reply& reply) {
  if (is_trouble(reply)) return;
  bool is_enough = reply.size() == 0;
  for (std::size_t i = 0; i < reply.size() && !is_enough; ++i) {
    if (position_ == "0-0") position_ = reply[i][0].text();
    auto entry = read_entry(reply[i]);
    if (!entry) continue;
    is_enough = entry->number <= next_;
    if (entry->number < next_) continue;
    older_size_ += size_of(*entry);
    older_.push_back(*std::move(entry));
    is_enough = is_enough || older_size_ > kMostOlder || count_wanted() == 0;
  }
  if (!is_enough) {
    return read_backwards(fmt::format("({}", reply[reply.size() - 1][0].text()));
  }
  std::ranges::reverse(older_);
  tell(std::exchange(older_, {}));
  be_open();
}

void RedisEngine::be_open() {
  main_->confirm();
  if (redirected_) redirected_->confirm();
  open_ = true;
  moves_ = 0;
  ping_ = around_.loop.after(kPing, [this] { ping(); });
  if (settings_.follow) {
    follower_ =
        connect({AddressSpec::parse(commands().server(), AddressRole::client)}, {}, silent_, true);
    follower_->start();
  }
  handler_.on_open(state_);
}

// The store has lost what it had, and the connection to it has not.
void RedisEngine::reopen() {
  if (!std::exchange(open_, false)) return;
  ping_.reset();
  follow_.reset();
  if (follower_) follower_->stop();
  around_.loop.destroy_later(std::move(follower_));
  handler_.on_away();
  attach();
}

// That it is there, and still has what it had.
void RedisEngine::ping() {
  commands().send({"HGET", keys_.state, "epoch"}, [this](const Reply& reply) {
    if (is_trouble(reply) || !open_) return;
    if (reply.number() != state_.epoch) return reopen();
    ping_ = around_.loop.after(kPing, [this] { ping(); });
  });
}

// ---- entries come

void RedisEngine::follow() {
  follower_->confirm();
  asked_ = around_.loop.now();
  follower_->send(
      {"XREAD", "BLOCK", std::string(kBlockMilliseconds), "COUNT", page(), "STREAMS", keys_.stream,
       position_},
      [this](const Reply& reply) { on_followed(reply); }, kBlock + Connection::kPatience);
}

void RedisEngine::on_followed(const Reply& reply) {
  if (is_trouble(reply)) return;
  if (reply.is_error()) return retry(escaped_text(reply.text()));
  const Reply found = reply[0][1];
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < found.size(); ++i) {
    position_ = found[i][0].text();
    if (auto entry = read_entry(found[i])) entries.push_back(*std::move(entry));
  }
  std::erase_if(entries, [this](const Entry& entry) { return entry.number < next_; });
  const bool is_pointless = entries.empty() && around_.loop.now() - asked_ < kPause;
  tell(std::move(entries));
  // What was told is on its way to its readers first.
  follow_ = around_.loop.after(is_pointless ? kPause : Duration::zero(), [this] { follow(); });
}

std::optional<Entry> RedisEngine::read_entry(const Reply& reply) {
  const Reply pairs = reply[1];
  std::vector<store::Field> fields;
  fields.reserve(pairs.size() / 2);
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    fields.push_back({std::string(pairs[i].text()), std::string(pairs[i + 1].text())});
  }
  auto entry = entry_of(std::move(fields), reply[0].text());
  if (entry && entry->number != 0) return entry;
  if (entry) {
    const std::string keys[] = {keys_.stream, keys_.state};
    commands().eval(kAdopt, keys, {std::string(reply[0].text())},
                    [this](const Reply& done) { is_trouble(done); });
  } else {
    pass_over(reply[0].text());
  }
  return std::nullopt;
}

void RedisEngine::pass_over(std::string_view id) {
  if (std::exchange(passed_over_, true)) return;
  around_.log.notice(
      fmt::format("entry {} of '{}' is not valid: it has no text, or an invalid number; such "
                  "entries are skipped",
                  escaped_text(id), keys_.stream));
}

void RedisEngine::tell(std::vector<Entry> entries) {
  std::erase_if(entries, [this](const Entry& entry) { return entry.number < next_; });
  if (entries.empty()) return;
  next_ = entries.back().number + 1;
  known_ = std::max(known_, entries.back().number);
  handler_.on_entries(entries);
}

// ---- what is asked

void RedisEngine::append(std::span<const Entry> entries) {
  const std::string keys[] = {keys_.stream, keys_.state, keys_.last,
                              keys_.writer(settings_.writer)};
  std::vector<std::string> arguments{std::to_string(state_.epoch),
                                     std::to_string(std::max<std::size_t>(settings_.keep, 1)),
                                     settings_.keep_last ? "1" : "0"};
  for (const Entry& entry : entries) {
    std::vector<store::Field> fields = fields_of(entry);
    arguments.push_back(std::to_string(entry.sequence));
    arguments.push_back(entry.topic);
    arguments.push_back(settings_.keep_last ? store::pack(fields) : std::string());
    arguments.push_back(std::to_string(2 * fields.size()));
    for (store::Field& field : fields) {
      arguments.push_back(std::move(field.name));
      arguments.push_back(std::move(field.value));
    }
  }
  auto answered = [this, sequence = entries.back().sequence](const Reply& reply) {
    on_appended(reply, sequence);
  };
  // The name of a script is shorter than the script.
  append_script_.empty()
      ? commands().eval(kAppend, keys, std::move(arguments), std::move(answered))
      : commands().eval_loaded(append_script_, keys, std::move(arguments), std::move(answered));
}

void RedisEngine::on_appended(const Reply& reply, std::uint64_t sequence) {
  if (is_trouble(reply)) return;
  if (!reply.is_error()) {
    known_ = std::max(known_, reply.number());
    return handler_.on_appended(sequence);
  }
  const std::string_view why = meaning_of(reply.text(), kRefusing);
  handler_.on_refused(why.empty() ? escaped_text(reply.text()) : std::string(why));
}

void RedisEngine::claim(std::span<const store::Claim> claims, Duration lease) {
  const std::string milliseconds = std::to_string(
      std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(lease).count(), 1));
  for (const store::Claim& claim : claims) {
    const std::string keys[] = {keys_.name(claim.name), keys_.names};
    std::vector<std::string> arguments{claim.owner, milliseconds, claim.takes_over ? "1" : "0",
                                       claim.name};
    commands().eval(kClaim, keys, std::move(arguments), [this, claim](const Reply& reply) {
      // A store that takes nothing gives nobody else the name either.
      if (is_trouble(reply)) return;
      const std::string holder(reply.is_error() ? claim.owner : reply.text());
      handler_.on_claimed(claim.name, holder == claim.owner, holder);
    });
  }
}

void RedisEngine::release(const std::string& name, const std::string& owner) {
  const std::string keys[] = {keys_.name(name), keys_.names};
  commands().eval(kRelease, keys, {owner, name}, [this](const Reply& reply) { is_trouble(reply); });
}

void RedisEngine::list_names() {
  const std::string keys[] = {keys_.names};
  commands().eval(kNames, keys, {}, [this](const Reply& reply) {
    if (is_trouble(reply)) return;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < reply.size(); ++i) names.emplace_back(reply[i].text());
    handler_.on_names(names);
  });
}

void RedisEngine::read_last() {
  older_.clear();
  older_size_ = 0;
  read_last_from("0");
}

void RedisEngine::read_last_from(const std::string& cursor) {
  commands().send({"HSCAN", keys_.last, cursor, "COUNT", page()},
                  [this](const Reply& reply) { on_some_last(reply); });
}

void RedisEngine::on_some_last(const Reply& reply) {
  if (is_trouble(reply)) return;
  const Reply found = reply[1];
  for (std::size_t i = 1; i < found.size(); i += 2) {
    auto entry = entry_of(store::unpack(found[i].text()), {});
    if (!entry || entry->number == 0) continue;
    older_size_ += size_of(*entry);
    older_.push_back(*std::move(entry));
  }
  const std::string_view cursor = reply[0].text();
  if (!cursor.empty() && cursor != "0" && older_size_ <= kMostOlder)
    return read_last_from(std::string(cursor));
  std::ranges::sort(older_, {}, &Entry::number);
  // One may be met twice.
  const auto again = std::ranges::unique(older_, {}, &Entry::number);
  older_.erase(again.begin(), again.end());
  handler_.on_last(std::exchange(older_, {}));
}

std::unique_ptr<store::Engine> make_engine(const store::Surroundings& around,
                                           const store::Settings& settings,
                                           store::Engine::Handler& handler) {
  return std::make_unique<RedisEngine>(around, Url::parse(settings.url), settings, handler);
}

}  // namespace netkit::redis
