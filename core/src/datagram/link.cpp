#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <netkit/datagram/link.hpp>
#include <netkit/net/needs_key.hpp>
#include <netkit/util/error.hpp>

namespace netkit::datagram {

std::string Loss::sentence(std::string_view server) const {
  return predicate ? fmt::format("{} {}", server, why) : Outage::sentence(server, why);
}

Loss stranger(std::string_view what) {
  return {.why = fmt::format("answers, but is not {}", what),
          .again = false,
          .status = ExitStatus::protocol,
          .predicate = true};
}

Loss plain_refused() {
  return {.why = fmt::format("refused: {}", kNeedsKey),
          .again = false,
          .status = ExitStatus::permission};
}

Loss loss_of(LeftReason reason, std::string_view text) {
  switch (reason) {
    case LeftReason::reset:
      return {.why = "the server was restarted"};
    case LeftReason::timeout:
      return {.why = "no answer"};
    case LeftReason::lease:
      return {.why = "no longer responding"};
    case LeftReason::evicted:
      return {.why = std::string(text), .again = false, .status = ExitStatus::again};
    case LeftReason::forbidden:
      return {.why = std::string(text), .again = false, .status = ExitStatus::permission};
    case LeftReason::version:
      return {.why = std::string(text), .again = false, .status = ExitStatus::protocol};
    default:
      return {.why = text.empty() ? "the server closed the session" : std::string(text)};
  }
}

Loss rejection(std::uint16_t code, std::string_view text) {
  Loss loss{.why = fmt::format("refused: {}", text), .status = ExitStatus::again};
  switch (static_cast<RejectCode>(code)) {
    case RejectCode::full:
    case RejectCode::taken:
      return loss;
    case RejectCode::forbidden:
      loss.status = ExitStatus::permission;
      break;
    default:
      loss.status = ExitStatus::protocol;
  }
  loss.again = false;
  return loss;
}

Link::Link(EventLoop& loop, const Log& log, Options options, Driver::Handler& driven,
           Handler& handler)
    : loop_(loop),
      options_(std::move(options)),
      driven_(driven),
      handler_(handler),
      resolver_(loop),
      attempts_(loop, log, options_.reconnect, server_names(options_.servers),
                [this] { attempt(); }) {
  if (!options_.identity) return;
  PrivateClient::Handler& self = *this;
  private_ = std::make_unique<PrivateClient>(*options_.identity, options_.privacy, driven, self);
}

Driver::Handler& Link::driven() const {
  return private_ ? *private_ : driven_;
}

void Link::on_not_secured(const Loss& loss) {
  if (loss.again) return failed(loss.why, loss.status);
  stop();
  handler_.on_gave_up(loss.status, loss.sentence(server()));
}

void Link::start() {
  attempts_.start();
}

void Link::succeeded() {
  connected_ = ever_connected_ = true;
  attempts_.succeeded();
}

void Link::failed(std::string_view why, ExitStatus status, RetryBounds bounds) {
  if (attempts_.pending()) return;
  if (!std::exchange(connected_, false)) ++unanswered_;
  if (attempts_.failed(why, bounds)) return;
  handler_.on_gave_up(status, Outage::sentence(attempts_.server(), why));
}

void Link::attempt() {
  if (driver_) kernel_drops_ += driver_->sockets().kernel_drops();
  driver_.reset();
  const AddressSpec& server = options_.servers[attempts_.index()];
  options_.udp.sources = server.sources;
  resolver_.resolve(server, [this](std::vector<Endpoint> addresses, const std::string& error) {
    if (!addresses.empty()) return connect(std::move(addresses));
    // A name that was never one is most likely mistyped.
    if (ever_connected_ || options_.servers.size() > 1) return failed(error, ExitStatus::name);
    handler_.on_gave_up(ExitStatus::name, Outage::sentence(attempts_.server(), error));
  });
}

// An address that refuses is passed over at once; of one that says nothing it takes an attempt to
// know, so the next attempt begins with another.
void Link::connect(std::vector<Endpoint> addresses) {
  const std::size_t first = unanswered_ % addresses.size();
  std::rotate(addresses.begin(), addresses.begin() + static_cast<std::ptrdiff_t>(first),
              addresses.end());
  try {
    driver_ = std::make_unique<Driver>(loop_, std::move(addresses), driven(), options_.udp);
  } catch (const SystemError& error) {
    return failed(error.what(), ExitStatus::unreachable);
  }
  if (private_) private_->begin(loop_.now());
  handler_.on_attempt();
}

void Link::show(Totals& totals, const Counters& native) const {
  totals.add("datagrams_in", native.datagrams_in);
  totals.add("datagrams_out", native.datagrams_out);
  totals.add("retransmitted", native.retransmitted);
  totals.add("duplicates", native.duplicates);
  totals.add("kernel_drops", kernel_drops_ + (driver_ ? driver_->sockets().kernel_drops() : 0));
}

}  // namespace netkit::datagram
