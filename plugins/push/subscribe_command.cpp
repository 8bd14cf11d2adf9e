#include <algorithm>
#include <push/native_subscriber.hpp>
#include <push/payload.hpp>
#include <push/plain_subscriber.hpp>
#include <push/subscribe_command.hpp>
#include <unistd.h>
#include <utility>

#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>

namespace netkit::push {

namespace {

std::string default_name() {
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) host = "host";
  host.resize(std::min(host.find('\0'), std::size_t{200}));
  return host + "-" + std::to_string(::getpid());
}

}  // namespace

void SubscribeCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  name_ = values.given("name") ? values.text("name") : default_name();
  const auto clean = clean_name(name_);
  if (!clean) throw UsageError("--name: write 1 to 255 bytes that are not all white space");
  name_ = std::string(*clean);
  plain_ = values.flag("plain");
  if (values.given("since")) {
    position_.next = static_cast<std::uint64_t>(std::max<std::int64_t>(values.integer("since"), 1));
  }
  if (values.given("count")) count_ = static_cast<std::uint64_t>(values.integer("count"));
  reconnect_limit_ = Reconnect::parse_limit(values.text("reconnect"));
  reconnect_max_ = values.duration("reconnect-max");
  protocol_.connect_timeout = values.duration("connect-timeout");
}

ExitStatus SubscribeCommand::run(Host& host) {
  host_ = &host;
  reconnect_.emplace(Reconnect::Options{.limit = reconnect_limit_, .maximum = reconnect_max_});
  resolver_ = std::make_unique<AsyncResolver>(host.loop());
  host.set_totals([this](Totals& totals) {
    totals.add("records", records_);
    totals.add("bytes", bytes_);
    totals.add("lost", lost_);
    totals.add("gaps", gaps_);
    totals.add("subscribed", subscribed_);
    totals.add("duplicates", duplicates_ + (subscription_ ? subscription_->duplicates() : 0));
  });
  host.on_stop([this](StopReason) { end(ExitStatus::done); });
  host.output().on_unblocked([this] {
    if (subscription_) subscription_->resume();
  });
  resolve();
  return host.run_loop();
}

void SubscribeCommand::resolve() {
  if (subscription_) duplicates_ += subscription_->duplicates();
  subscription_.reset();
  resolver_->resolve(address_, [this](std::vector<Endpoint> servers, const std::string& error) {
    attempt(std::move(servers), error);
  });
}

void SubscribeCommand::attempt(std::vector<Endpoint> servers, const std::string& error) {
  if (done_) return;
  if (servers.empty()) {
    on_lost(error, subscribed_ > 0, ExitStatus::name);
    return;
  }
  server_ = servers[attempts_++ % servers.size()];
  try {
    Subscription::Handler& handler = *this;
    if (plain_) {
      subscription_ =
          std::make_unique<PlainSubscriber>(host_->loop(), server_, name_, handler, host_->log());
    } else {
      subscription_ = std::make_unique<NativeSubscriber>(host_->loop(), server_, name_, protocol_,
                                                         position_, handler, host_->log());
    }
  } catch (const SystemError& failure) {
    on_lost(failure.what(), true, ExitStatus::unreachable);
  }
}

void SubscribeCommand::on_subscribed() {
  ++subscribed_;
  if (!plain_) reconnect_->connected(host_->loop().now());
  host_->log().notice("subscribed to " + server_.to_string() + " as " + name_);
}

void SubscribeCommand::on_new_stream(std::uint64_t first) {
  host_->log().notice("the server was restarted: its records begin anew, here with " +
                      std::to_string(first));
}

void SubscribeCommand::on_record(std::uint64_t seq, std::string_view text) {
  if (done_) return;
  ++records_;
  bytes_ += text.size();
  const Field fields[] = {{"seq", seq}};
  host_->output().emit({.type = "push",
                        .time = host_->clock().wall(),
                        .peer = &server_,
                        .fields = std::span(fields, seq == 0 ? 0 : 1),
                        .payload = text});
  // The server is asked to wait while nobody reads; heartbeats go on, so that it does.
  if (host_->output().blocked()) subscription_->pause();
  if (records_ == count_) end(ExitStatus::done);
}

void SubscribeCommand::on_gap(std::uint64_t from, std::uint64_t to) {
  if (done_) return;
  ++gaps_;
  lost_ += to - from + 1;
  const Field fields[] = {{"from", from}, {"to", to}};
  host_->output().emit({.type = "gap",
                        .time = host_->clock().wall(),
                        .peer = &server_,
                        .fields = fields,
                        .payload = std::nullopt});
  const std::string numbers = std::to_string(from) + " to " + std::to_string(to);
  host_->log().error("lost records " + numbers + " (" + std::to_string(to - from + 1) + ")");
}

void SubscribeCommand::on_ended() {
  host_->log().info("the server's source has ended");
  end(ExitStatus::done);
}

void SubscribeCommand::on_lost(const std::string& why, bool again, ExitStatus status) {
  if (done_) return;
  const std::string sentence = address_.to_string() + ": " + why;
  const auto wait = again ? reconnect_->next(host_->loop().now(), random_.unit()) : std::nullopt;
  if (!wait) {
    end(status, sentence);
    return;
  }
  host_->log().notice(sentence + "; trying again in " +
                      format_duration(std::chrono::ceil<std::chrono::milliseconds>(*wait)));
  next_ = host_->loop().after(*wait, [this] { resolve(); });
}

void SubscribeCommand::end(ExitStatus status, std::string error) {
  if (done_) return;
  done_ = true;
  next_.reset();
  if (subscription_) {
    // Not from within its own callbacks.
    host_->loop().defer([this, status, text = std::move(error)] {
      if (subscription_) subscription_->leave();
      host_->finish(status, text);
    });
    return;
  }
  host_->finish(status, std::move(error));
}

}  // namespace netkit::push
