#include <algorithm>
#include <cerrno>
#include <push/payload.hpp>
#include <push/subscribe_command.hpp>
#include <push/topic.hpp>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

std::string default_name() {
  std::string host(256, '\0');
  if (::gethostname(host.data(), host.size() - 1) != 0) host = "host";
  host.resize(std::min(host.find('\0'), std::size_t{200}));
  return fmt::format("{}-{}", host, ::getpid());
}

}  // namespace

void SubscribeCommand::configure(const Values& values) {
  server_.servers = values.addresses("ADDRESS");
  server_.identity = identity_of(values);
  name_ = server_.identity       ? server_.identity->name
          : values.given("name") ? values.text("name")
                                 : default_name();
  const auto clean = clean_name(name_);
  if (!clean) throw UsageError(fmt::format("--name: {}", kNameForm));
  name_ = std::string(*clean);
  plain_ = values.flag("plain");
  if (values.given("since")) {
    position_.next = static_cast<std::uint64_t>(std::max<std::int64_t>(values.integer("since"), 1));
  }
  position_.topics = values.texts("topic");
  std::size_t bytes = 0;
  for (const std::string& topic : position_.topics) {
    const std::string_view why = why_not_a_filter(topic);
    if (!why.empty()) throw UsageError(fmt::format("--topic: '{}' {}", escaped_text(topic), why));
    bytes += topic.size() + 1;
  }
  if (position_.topics.size() > kMaxTopics || bytes > kMaxTopicBytes) {
    throw UsageError(
        fmt::format("--topic: at most {} topics of {} bytes together", kMaxTopics, kMaxTopicBytes));
  }
  drain_ = values.flag("drain");
  state_path_ = values.text("state");
  // Only subscribers by topic are told topics, and that everything kept has come.
  const bool shows_topics = !plain_ && values.text("template").find("{topic}") != std::string::npos;
  if ((drain_ || shows_topics) && position_.topics.empty()) position_.topics = {"#"};
  if (values.given("count")) count_ = static_cast<std::uint64_t>(values.integer("count"));
  server_.reconnect = reconnect_options(values);
  protocol_.connect_timeout = values.duration("connect-timeout");
  server_.privacy = {.handshake_timeout = protocol_.connect_timeout,
                     .heartbeat = protocol_.heartbeat};
  if (server_.identity) protocol_.max_datagram -= datagram::kPrivateOverhead;
}

ExitStatus SubscribeCommand::run(Host& host) {
  host_ = &host;
  host.set_totals([this](Totals& totals) {
    totals.add("records", records_);
    totals.add("bytes", bytes_);
    totals.add("lost", lost_);
    totals.add("gaps", gaps_);
    totals.add("subscribed", subscribed_);
    link_->show(totals, subscription_->counters());
  });
  host.on_stop([this](StopReason) { end(ExitStatus::done); });
  host.output().on_unblocked([this] { subscription_->resume(host_->loop().now()); });
  read_state();
  if (drain_ && position_.next == 0) position_.next = Request::kAll;
  server_.udp.socket.gro = true;
  server_.udp.log = &host.log();
  if (!plain_) server_.udp.silence = 2 * protocol_.heartbeat;
  datagram::Link::Handler& handler = *this;
  subscription_ = make_subscription();
  link_.emplace(host.loop(), host.log(), std::move(server_), *subscription_, handler);
  link_->start();
  if (!state_path_.empty()) turn_ = host.loop().before_wait([this] { write_state(); });
  return host.run_loop();
}

std::unique_ptr<Subscription> SubscribeCommand::make_subscription() {
  Subscription::Handler& handler = *this;
  if (plain_) return make_plain_subscription(name_, handler);
  return make_native_subscription(name_, protocol_, position_, handler);
}

void SubscribeCommand::on_subscribed() {
  ++subscribed_;
  host_->log().notice(fmt::format("subscribed to {} as {}", link_->peer().to_string(), name_));
}

void SubscribeCommand::on_new_stream(std::uint64_t first) {
  last_ = first - 1;
  host_->log().notice(
      fmt::format("the server was restarted: its records begin again, here with {}", first));
}

void SubscribeCommand::on_record(std::uint64_t seq, std::string_view topic, std::string_view text) {
  if (done_) return;
  ++records_;
  bytes_ += text.size();
  last_ = std::max(last_, seq);
  const Field fields[] = {{"seq", seq}, {"topic", topic}};
  host_->output().emit({.type = "push",
                        .time = host_->clock().wall(),
                        .peer = &link_->peer(),
                        .fields = std::span(fields, seq == 0        ? 0
                                                    : topic.empty() ? 1
                                                                    : 2),
                        .payload = text});
  // The server is asked to wait while the output is not read; heartbeats go on, so that it does.
  if (host_->output().blocked()) subscription_->pause();
  if (records_ == count_) end(ExitStatus::done);
}

void SubscribeCommand::on_gap(std::uint64_t from, std::uint64_t to) {
  if (done_) return;
  ++gaps_;
  lost_ += to - from + 1;
  last_ = std::max(last_, to);
  const Field fields[] = {{"from", from}, {"to", to}};
  host_->output().emit({.type = "gap",
                        .time = host_->clock().wall(),
                        .peer = &link_->peer(),
                        .fields = fields,
                        .payload = std::nullopt});
  host_->log().error(fmt::format("lost records {} to {} ({})", from, to, to - from + 1));
}

void SubscribeCommand::on_caught_up() {
  if (drain_) end(ExitStatus::done);
}

// `STREAM NUMBER`: the stream that the number of the last record belongs to.
void SubscribeCommand::read_state() {
  if (state_path_.empty()) return;
  constexpr std::size_t kMaxState = 100;
  const FileContent content = read_file(state_path_, kMaxState);
  if (content.error != 0 && content.error != ENOENT) {
    throw SystemError(content.error, fmt::format("--state: cannot read '{}'", state_path_));
  }
  const std::string_view text = trim_white_space(content.bytes);
  if (text.empty()) return;
  const std::size_t space = text.find(' ');
  const auto stream = read_integer<std::uint64_t>(text.substr(0, space));
  const auto last = read_integer<std::uint64_t>(
      space == std::string_view::npos ? std::string_view() : text.substr(space + 1));
  if (!stream || !last || *last == UINT64_MAX) {
    throw Error(
        ExitStatus::config,
        fmt::format("--state: '{}' does not hold a record number; use another file", state_path_));
  }
  last_ = written_ = *last;
  if (position_.next != 0) return;  // --since
  position_.stream = *stream;
  position_.next = *last + 1;
}

// When what it tells of is printed.
void SubscribeCommand::write_state() {
  if (state_path_.empty() || last_ == written_ || !host_->output().flush()) return;
  const int error =
      write_file_atomically(state_path_, fmt::format("{} {}\n", subscription_->stream(), last_));
  if (error == 0) {
    written_ = last_;
  } else {
    end(ExitStatus::output,
        fmt::format("--state: cannot write '{}': {}", state_path_, error_text(error)));
  }
}

void SubscribeCommand::on_ended() {
  host_->log().info("the server's source has ended");
  end(ExitStatus::done);
}

void SubscribeCommand::on_lost(const datagram::Loss& loss) {
  if (done_) return;
  if (loss.again) return link_->failed(loss.why, loss.status);
  end(loss.status, loss.sentence(link_->server()));
}

// Not from within the subscription's own callbacks.
void SubscribeCommand::end(ExitStatus status, const std::string& error) {
  if (std::exchange(done_, true)) return;
  link_->stop();
  host_->loop().defer([this, status, error] {
    write_state();
    subscription_->leave(host_->loop().now());
    if (link_->driver() != nullptr) link_->driver()->flush();
    host_->finish(status, error);
  });
}

}  // namespace netkit::push
