#include <algorithm>
#include <redis/engine.hpp>
#include <redis/meaning.hpp>
#include <redis/scripts.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/tls/tls.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit::redis {

namespace {

constexpr std::size_t kMostMoves = 16;               // from node to node, until one has the stream
constexpr Duration kPing = std::chrono::seconds(3);  // while nothing else is asked

}  // namespace

RedisEngine::RedisEngine(const store::Surroundings& around, Url url, store::Settings settings,
                         store::Engine::Handler& handler)
    : around_(around),
      url_(std::move(url)),
      settings_(std::move(settings)),
      handler_(handler),
      keys_(url_.prefix, settings_.stream),
      keep_(std::to_string(std::max<std::size_t>(settings_.keep, 1))),
      mark_field_(fmt::format("writer:{}", settings_.writer)) {
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
  forget_batches();
  follow_.reset();
  for (std::unique_ptr<Connection>* one : {&follower_, &redirected_}) {
    if (*one) (*one)->stop();
    around_.loop.destroy_later(std::move(*one));
  }
}

void RedisEngine::forget_batches() {
  appending_.clear();
  mark_.clear();
  refusal_.clear();
  own_.clear();
  skipped_ = 0;
  waits_for_answer_ = false;
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
  } else if (const std::string_view why = why_unavailable(error); !why.empty()) {
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

void RedisEngine::load_scripts() {
  const auto load = [this](const char* script, std::string& name) {
    commands().send({"SCRIPT", "LOAD", script}, [&name](const Reply& reply) {
      name = reply.is_error() ? std::string() : std::string(reply.text());
    });
  };
  load(kAppend, append_many_);
  load(kAppendOne, append_one_);
}

void RedisEngine::send_attach() {
  load_scripts();
  const Read& newest = acknowledged_.number > read_.number ? acknowledged_ : read_;
  commands().eval(
      kAttach, {keys_.stream, keys_.state},
      {std::to_string(state_.stream), std::to_string(known_), std::to_string(random_id()),
       std::to_string(random_id()), std::to_string(newest.number), newest.id, seconds_now()},
      [this](const Reply& reply) { on_attached(reply); });
}

std::string RedisEngine::seconds_now() const {
  const auto now = around_.loop.clock().wall().time_since_epoch();
  return std::to_string(std::chrono::floor<std::chrono::seconds>(now).count());
}

void RedisEngine::on_attached(const Reply& reply) {
  if (is_trouble(reply)) return;
  if (reply.is_error() && reply.text().find("WRONGTYPE") != std::string_view::npos) {
    return fail(ExitStatus::config,
                fmt::format("{}: '{}' is not a stream of a store; choose another prefix",
                            commands().server(), keys_.stream));
  }
  if (reply.size() != 5) return retry(fmt::format("refuses: {}", escaped_text(reply.text())));
  if (reply[1].number() != state_.epoch) acknowledged_ = {};
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
  position_ = reply[4].text();
  older_.clear();
  older_size_ = 0;
  read_backwards(position_);
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
  forget_batches();
  ping_.reset();
  follow_.reset();
  if (follower_) follower_->stop();
  around_.loop.destroy_later(std::move(follower_));
  handler_.on_away();
  attach();
}

// Checks that it is available, and still has what it had.
void RedisEngine::ping() {
  commands().send({"HGET", keys_.state, "epoch"}, [this](const Reply& reply) {
    if (is_trouble(reply) || !open_) return;
    if (reply.number() != state_.epoch) return reopen();
    ping_ = around_.loop.after(kPing, [this] { ping(); });
  });
}

// ---- names

void RedisEngine::claim(std::span<const store::Claim> claims, Duration lease) {
  const std::string milliseconds = std::to_string(
      std::max<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(lease).count(), 1));
  for (const store::Claim& claim : claims) {
    commands().eval(kClaim, {keys_.name(claim.name), keys_.names},
                    {claim.owner, milliseconds, claim.takes_over ? "1" : "0", claim.name},
                    [this, claim](const Reply& reply) {
                      // A store that accepts no writes does not give the name to anybody else
                      // either.
                      if (is_trouble(reply)) return;
                      const std::string holder(reply.is_error() ? claim.owner : reply.text());
                      handler_.on_claimed(claim.name, holder == claim.owner, holder);
                    });
  }
}

void RedisEngine::release(const std::string& name, const std::string& owner) {
  commands().eval(kRelease, {keys_.name(name), keys_.names}, {owner, name},
                  [this](const Reply& reply) { is_trouble(reply); });
}

void RedisEngine::list_names() {
  commands().eval(kNames, {keys_.names}, {}, [this](const Reply& reply) {
    if (is_trouble(reply)) return;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < reply.size(); ++i) names.emplace_back(reply[i].text());
    handler_.on_names(names);
  });
}

namespace {

Url url_of(const store::Settings& settings) {
  try {
    return Url::parse(settings.url);
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}", settings.option, error.what()));
  }
}

}  // namespace

std::unique_ptr<store::Engine> make_engine(const store::Surroundings& around,
                                           const store::Settings& settings,
                                           store::Engine::Handler& handler) {
  return std::make_unique<RedisEngine>(around, url_of(settings), settings, handler);
}

}  // namespace netkit::redis
