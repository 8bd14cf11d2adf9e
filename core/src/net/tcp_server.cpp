#include "net/other_listeners.hpp"
#include "net/tcp_listener.hpp"

#include <cerrno>
#include <new>
#include <utility>

#include <fmt/format.h>

#include <netkit/net/await_rest.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/net/tcp_server.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/slot_list.hpp>

namespace netkit {
namespace {

constexpr std::size_t kLeastHighWater = std::size_t{16} << 10U;
// How often all peers are asked what waits for them, while too much does.
constexpr Duration kAskAgain = std::chrono::milliseconds(100);
constexpr std::size_t kOtherDescriptors = 64;  // of everything but clients, generously

}  // namespace

TcpServer::TcpServer(EventLoop& loop, const Log& log, Options options, MakeConnection make)
    : loop_(loop),
      log_(log),
      options_(std::move(options)),
      make_(std::move(make)),
      limited_log_(loop, log),
      limiter_({.per_second = options_.rate, .seed = options_.rate > 0 ? random_number() : 0}),
      shares_(options_.max_clients) {
  const std::size_t clients = options_.max_clients + options_.told_when_full;
  const std::size_t limit = raise_descriptor_limit(clients + kOtherDescriptors);
  if (limit < clients) {
    log_.info(fmt::format("{} {} is more than the limit on open files allows: {}",
                          options_.limit_option, options_.max_clients, limit));
  }
}

TcpServer::~TcpServer() {
  if (options_.shared_count != nullptr) *options_.shared_count -= places_;
}

void TcpServer::listen(const AddressSpec& address) {
  if (address.transport != Transport::tcp) {
    others_.push_back(OtherListener::open(
        *this, address,
        [this](FileDescriptor socket, const Endpoint& peer) {
          admit(std::move(socket), peer, nullptr);
        },
        [this](int error) { on_exhausted(error); }));
    return;
  }
  ServerSocketOptions options;
  options.tcp = true;
  for (FileDescriptor& socket : open_server_sockets(address, options).tcp) {
    listen(std::move(socket));
  }
}

void TcpServer::listen(FileDescriptor listening) {
  listeners_.push_back(std::make_unique<TcpListener>(
      loop_, std::move(listening),
      [this](FileDescriptor socket, const Endpoint& peer) {
        admit(std::move(socket), peer, nullptr);
      },
      [this](int error) { on_exhausted(error); }));
}

std::vector<Endpoint> TcpServer::locals() const {
  std::vector<Endpoint> locals;
  for (const auto& listener : listeners_) locals.push_back(listener->local());
  return locals;
}

std::vector<std::string> TcpServer::descriptions() const {
  std::vector<std::string> lines;
  for (const Endpoint& local : locals()) lines.push_back("tcp " + local.to_string());
  for (const auto& other : others_) {
    for (std::string& line : other->descriptions()) lines.push_back(std::move(line));
  }
  return lines;
}

void TcpServer::stop_accepting() {
  for (const auto& listener : listeners_) listener->close();
  for (const auto& other : others_) other->close();
}

void TcpServer::when_empty(std::function<void()> callback) {
  if (empty()) return callback();
  when_empty_ = std::move(callback);
}

void TcpServer::on_exhausted(int error) {
  ++counters_.refused;
  notice(fmt::format("cannot accept a connection: {}", error_text(error)));
}

bool TcpServer::adopt(const Endpoint& peer, const MakeStream& make) {
  return admit({}, peer, make);
}

// False for a peer that is not served.
bool TcpServer::admit(FileDescriptor socket, const Endpoint& peer, const MakeStream& make) {
  if (!options_.access.permits(peer.address())) {
    ++counters_.denied;
    return false;
  }
  const bool has_share = shares_.take(peer.address());
  if (has_share && take_place()) {
    add(std::move(socket), peer, make, false);
    return true;
  }
  if (has_share) shares_.give_back(peer.address());
  ++counters_.refused;
  if (!options_.limit_option.empty()) {
    const std::string why =
        has_share ? full_text(options_.max_clients, "client", options_.limit_option)
                  : share_text(shares_.share(), options_.max_clients, options_.limit_option);
    notice(fmt::format("{} refused: {}", peer.to_string(), why));
  }
  if (connections_.size() < places_ + options_.told_when_full) {
    add(std::move(socket), peer, make, true);
  }
  return false;
}

bool TcpServer::take_place() {
  if (options_.shared_count == nullptr) {
    if (places_ >= options_.max_clients) return false;
  } else if (options_.shared_count->fetch_add(1) >= options_.max_clients) {
    options_.shared_count->fetch_sub(1);
    return false;
  }
  ++places_;
  return true;
}

void TcpServer::give_place_back(const Endpoint& peer) {
  --places_;
  shares_.give_back(peer.address());
  if (options_.shared_count != nullptr) options_.shared_count->fetch_sub(1);
}

// A connection that gets here has a place, unless it is over the limit.
void TcpServer::add(FileDescriptor socket, const Endpoint& peer, const MakeStream& make,
                    bool over_limit) {
  Connection* connection = nullptr;
  try {
    reserve_for(connections_.size() + 1, connections_);
    if (std::unique_ptr<Connection> made = make_(peer)) {
      connection = made.get();
      connection->over_limit_ = over_limit;
      connection->slot_ = static_cast<std::uint32_t>(connections_.size());
      connections_.push_back(std::move(made));
      if (!make) apply(options_.tcp, socket.get());
      connection->start(*this, std::move(socket), peer, make);
    } else if (!over_limit) {
      give_place_back(peer);
    }
  } catch (const Error& error) {  // the kernel's or OpenSSL's want of memory
    ++counters_.refused;
    take_back(connection, peer, over_limit);
    notice(fmt::format("{} refused: {}", peer.to_string(), error.what()));
  } catch (const std::bad_alloc&) {
    ++counters_.refused;
    take_back(connection, peer, over_limit);
    loop_.out_of_memory();
  }
}

// Takes back what add() made of a connection that failed; may be null.
void TcpServer::take_back(Connection* connection, const Endpoint& peer, bool over_limit) {
  if (connection == nullptr) {
    if (!over_limit) give_place_back(peer);
  } else if (connection->open_) {
    static_cast<void>(connection->leave(ENOMEM, {}));
  } else {
    static_cast<void>(remove(*connection, peer));
  }
}

std::unique_ptr<TcpServer::Connection> TcpServer::remove(Connection& connection,
                                                         const Endpoint& peer) {
  if (!connection.over_limit_) give_place_back(peer);
  const std::uint32_t slot = connection.slot_;
  std::unique_ptr<Connection> removed = std::move(connections_[slot]);
  if (slot + 1 != connections_.size()) {
    connections_[slot] = std::move(connections_.back());
    connections_[slot]->slot_ = slot;
  }
  connections_.pop_back();
  return removed;
}

TcpServer::Connection::~Connection() = default;

void TcpServer::Connection::start(TcpServer& server, FileDescriptor socket, const Endpoint& peer,
                                  const MakeStream& make) {
  server_ = &server;
  const Options& options = server.options_;
  const bool with_tls = options.tls && !make;
  if (make) {
    stream_ = make(*this);
  } else if (with_tls) {
    stream_ = options.tls->make_stream(server.loop_, std::move(socket), peer, *this, {},
                                       [this](std::string_view alpn) { become_open(alpn); });
    deadline_ = server.loop_.after(options.handshake_timeout, [this] { on_deadline(); });
  } else {
    stream_ = make_tcp_stream(server.loop_, std::move(socket), peer, *this);
  }
  high_water_ = options.high_water;
  stream_->set_water_marks(options.low_water, options.high_water);
  ++server.counters_.accepted;
  if (server.log_.enabled(LogLevel::info)) {
    server.log_.info(fmt::format("{} connected", peer.to_string()));
  }
  if (!with_tls) become_open({});
}

void TcpServer::Connection::become_open(std::string_view alpn) {
  open_ = true;
  const Duration idle = server_->options_.idle_timeout;
  last_ = server_->loop_.now();
  deadline_ = idle == kNever ? Timer() : server_->loop_.after(idle, [this] { on_deadline(); });
  on_open(alpn);
}

// Data from a peer moves its deadline, which is checked when the timer runs: setting the timer
// again for all of it would cost too much.
void TcpServer::Connection::on_deadline() {
  const Options& options = server_->options_;
  if (!open_) {
    ++server_->counters_.handshake_timeouts;
    const std::string option =
        options.handshake_option.empty() ? "" : fmt::format(" ({})", options.handshake_option);
    server_->notice(fmt::format("{} closed: its TLS handshake took longer than {}{}",
                                peer().to_string(), format_duration(options.handshake_timeout),
                                option));
    return abort();
  }
  if (is_held()) last_ = server_->loop_.now();
  const TimePoint due = saturating_add(last_, options.idle_timeout);
  if (due > server_->loop_.now()) {
    deadline_ = server_->loop_.at(due, [this] { on_deadline(); });
    return;
  }
  ++server_->counters_.idle;
  stream_->abort();
  server_->loop_.destroy_later(leave(
      0, fmt::format("silent for {} (--idle-timeout)", format_duration(options.idle_timeout))));
}

void TcpServer::Connection::write(std::string_view bytes) {
  log_bytes(WireDirection::to, bytes);
  stream_->write(bytes);
}

void TcpServer::Connection::write(const SharedPayload& payload) {
  log_bytes(WireDirection::to, *payload);
  stream_->write(payload);
}

void TcpServer::Connection::log_bytes(WireDirection direction, std::string_view bytes) {
  const Log& log = server_->log_;
  if (!log.enabled(LogLevel::protocol)) return;
  write_wire_log(log, direction, peer().to_string(), bytes, {}, shows_bytes_);
}

void TcpServer::Connection::close() {
  const bool is_news = !std::exchange(closing_, true);
  stream_->close();
  if (!is_news) return;
  await_rest(server_->loop_, deadline_, *stream_, [this] {
    ++server_->counters_.idle;
    abort();
  });
}

void TcpServer::Connection::reset() {
  stream_->reset();
  abort();
}

void TcpServer::Connection::abort() {
  stream_->abort();
  server_->loop_.destroy_later(leave(0, {}));
}

std::unique_ptr<TcpServer::Connection> TcpServer::Connection::leave(int error,
                                                                    std::string_view reason) {
  closing_ = true;
  deadline_.reset();
  rate_.reset();
  if (server_->log_.enabled(LogLevel::info)) {
    const std::string name = peer().to_string();
    server_->log_.info(reason.empty() ? name + " closed"
                                      : fmt::format("{} closed: {}", name, reason));
  }
  server_->waiting_ -= std::exchange(waiting_, 0);
  std::unique_ptr<Connection> self = server_->remove(*this, peer());
  on_gone(error, reason);
  if (server_->empty() && server_->when_empty_) std::exchange(server_->when_empty_, nullptr)();
  return self;
}

void TcpServer::Connection::on_data(ByteStream& /*stream*/, std::string_view data) {
  if (server_->options_.idle_timeout != kNever) last_ = server_->loop_.now();
  log_bytes(WireDirection::from, data);
  if (server_->options_.rate > 0) hold_to_rate();
  if (server_->options_.all_waiting == SIZE_MAX) return on_received(data);
  take_fair_share();
  on_received(data);
  if (!closing_) count_waiting();
}

void TcpServer::Connection::count_waiting() {
  const std::size_t before = std::exchange(waiting_, stream_->queued());
  server_->waiting_ += waiting_ - before;
}

void TcpServer::Connection::take_fair_share() {
  const std::size_t high = server_->fair_high_water();
  if (std::exchange(high_water_, high) == high) return;
  stream_->set_water_marks(std::min(server_->options_.low_water, high / 4), high);
}

// What was sent meanwhile to peers that say nothing is found out by asking all of them, now and
// then where they are so many that it may be too much.
std::size_t TcpServer::fair_high_water() {
  const bool is_much = waiting_ > options_.all_waiting / 2;
  const bool may_be = connections_.size() > options_.all_waiting / options_.high_water;
  if ((is_much || may_be) && loop_.now() - asked_ >= (is_much ? kAskAgain : 10 * kAskAgain)) {
    asked_ = loop_.now();
    for (const auto& connection : connections_) connection->count_waiting();
  }
  const std::size_t left = options_.all_waiting - std::min(waiting_, options_.all_waiting);
  return std::clamp(left / 4, std::min(kLeastHighWater, options_.high_water), options_.high_water);
}

// A stream cannot leave anything out, so a peer over its rate waits for its next turn.
void TcpServer::Connection::hold_to_rate() {
  if (server_->limiter_.allow(peer().address(), server_->loop_.now())) return;
  ++server_->counters_.delayed;
  const auto turn = std::chrono::duration<double>(1 / server_->options_.rate);
  hold(kOverRate);
  rate_ = server_->loop_.after(std::chrono::duration_cast<Duration>(turn),
                               [this] { release(kOverRate); });
}

void TcpServer::Connection::hold(Hold why) {
  if (held_ == 0) stream_->pause_reading();
  held_ |= why;
}

void TcpServer::Connection::release(Hold why) {
  if (held_ == 0) return;
  held_ &= static_cast<std::uint8_t>(~why);
  if (held_ == 0) stream_->resume_reading();
}

void TcpServer::Connection::on_end(ByteStream& /*stream*/) {
  on_half_closed();
}

void TcpServer::Connection::on_high_water(ByteStream& /*stream*/) {
  if (server_->options_.pause_backed_up) hold(kBackedUp);
  on_backed_up();
}

void TcpServer::Connection::on_low_water(ByteStream& /*stream*/) {
  release(kBackedUp);
  on_drained();
}

void TcpServer::Connection::on_closed(ByteStream& stream, int error, std::string_view reason) {
  if (!open_ && stream.fault() == StreamFault::key) {
    server_->notice(fmt::format("{} refused: {}", peer().to_string(), reason));
  }
  static_cast<void>(leave(error, reason));
}

}  // namespace netkit
