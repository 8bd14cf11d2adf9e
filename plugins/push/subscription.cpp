#include <algorithm>
#include <push/payload.hpp>
#include <push/subscription.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/datagram/client.hpp>
#include <netkit/util/error.hpp>

namespace netkit::push {

namespace {

constexpr std::string_view kServer = "a push server";
constexpr Duration kRepeat = std::chrono::seconds(10);  // of a plain registration

class NativeSubscription final : public Subscription, private datagram::Client::Handler {
 public:
  NativeSubscription(std::string name, const datagram::Options& options, const Position& position,
                     Subscription::Handler& handler)
      : name_(std::move(name)),
        position_(position),
        handler_(handler),
        client_(options, Endpoint(), datagram::system_random(), *this) {}

  void begin(TimePoint now) override {
    over_ = false;
    client_.connect(encode(Request{position_.stream, position_.next, name_, position_.topics}),
                    now);
  }
  void leave(TimePoint now) override {
    if (!over_) client_.leave("leaving", now);
  }
  void pause() override { client_.pause(); }
  void resume(TimePoint now) override { client_.resume(now); }
  const datagram::Counters& counters() const override { return client_.counters(); }
  std::uint64_t stream() const override { return position_.stream; }

 private:
  void on_datagram(const datagram::Path& from, std::string_view datagram, TimePoint now) override {
    if (!over_) client_.on_datagram(datagram, now, from);
  }
  void tick(TimePoint now) override { client_.tick(now); }
  TimePoint next_deadline() const override {
    return over_ ? TimePoint::max() : client_.next_deadline();
  }
  bool drain(datagram::OutputQueue& queue, TimePoint now) override {
    return !over_ && client_.drain(queue, now);
  }
  void on_refused(const Endpoint& to, int error) override;
  void on_next_address(TimePoint now) override {
    if (!over_) begin(now);
  }

  void on_connected(std::string_view payload) override;
  void on_rejected(std::uint16_t code, std::string_view text) override;
  void on_message(std::uint64_t record, std::string_view message) override;
  void on_gap(const datagram::Gap& gap) override;
  void take(const Record& record);
  void end_hole(std::uint64_t number);
  void tell_gap(std::uint64_t from, std::uint64_t to);
  void on_left(datagram::LeftReason reason, std::string_view text) override;

  void lose(const datagram::Loss& loss);

  std::string name_;
  Position position_;
  Subscription::Handler& handler_;
  datagram::Client client_;
  bool over_ = true;   // it has been said
  bool hole_ = false;  // some that were chosen by topic are lost; the next one tells where
  // Everything below has been reported: a server that lags behind another one sends it again. 0:
  // nothing has.
  std::uint64_t told_ = 0;
};

void NativeSubscription::on_refused(const Endpoint&, int error) {
  if (over_ || client_.on_refused() || client_.holds_on()) return;
  lose({.why = error_text(error)});
}

void NativeSubscription::on_connected(std::string_view payload) {
  const auto welcome = decode_welcome(payload);
  if (!welcome) {
    lose(datagram::stranger(kServer));
    return;
  }
  const bool other = position_.stream != 0 && position_.stream != welcome->stream;
  told_ = position_.stream == welcome->stream ? position_.next : 0;
  position_.stream = welcome->stream;
  position_.next = std::max(welcome->first, told_);
  hole_ = false;
  client_.expect_record(welcome->first);
  handler_.on_alive();
  handler_.on_subscribed();
  if (other) handler_.on_new_stream(welcome->first);
}

void NativeSubscription::on_rejected(std::uint16_t code, std::string_view text) {
  lose(datagram::rejection(code, text));
}

void NativeSubscription::on_message(std::uint64_t record, std::string_view message) {
  if (over_) return;
  if (!position_.topics.empty()) {
    const auto chosen = decode_record(message);
    return chosen ? take(*chosen) : lose(datagram::stranger(kServer));
  }
  if (record < told_) return;
  position_.next = record + 1;
  handler_.on_record(record, {}, message);
}

// The newest of a topic, which comes first with --last, may be older than what follows.
void NativeSubscription::take(const Record& record) {
  switch (record.kind) {
    case Record::Kind::record:
      if (record.number < told_) return;
      end_hole(record.number);
      position_.next = std::max(position_.next, record.number + 1);
      return handler_.on_record(record.number, record.topic, record.text);
    case Record::Kind::missing:
      end_hole(record.number);
      return tell_gap(record.number, record.last);
    case Record::Kind::caught_up:
      end_hole(record.number);
      position_.next = std::max(position_.next, record.number);
      return handler_.on_caught_up();
  }
}

// Records that a slow session has skipped are not numbered by the session: they lie between two
// that have come.
void NativeSubscription::end_hole(std::uint64_t number) {
  if (!std::exchange(hole_, false) || number <= position_.next) return;
  handler_.on_gap(position_.next, number - 1);
}

void NativeSubscription::on_gap(const datagram::Gap& gap) {
  if (over_) return;
  hole_ = hole_ || (gap.unnumbered > 0 && !position_.topics.empty());
  if (gap.from != 0) tell_gap(gap.from, gap.to);
}

void NativeSubscription::tell_gap(std::uint64_t from, std::uint64_t to) {
  from = std::max(from, told_);
  if (from > to) return;
  position_.next = std::max(position_.next, to + 1);
  handler_.on_gap(from, to);
}

void NativeSubscription::on_left(datagram::LeftReason reason, std::string_view text) {
  if (reason == datagram::LeftReason::ended) return handler_.on_ended();
  if (reason == datagram::LeftReason::stranger) return lose(datagram::stranger(kServer));
  datagram::Loss loss = datagram::loss_of(reason, text);
  const bool moved = text == reason::kMoved;
  if (reason == datagram::LeftReason::bye && (moved || text == reason::kAsked)) {
    loss = {moved ? fmt::format("another subscriber took the name {}", name_)
                  : fmt::format("the server unsubscribed {}", name_),
            false, ExitStatus::again, false};
  }
  lose(loss);
}

void NativeSubscription::lose(const datagram::Loss& loss) {
  if (!std::exchange(over_, true)) handler_.on_lost(loss);
}

class PlainSubscription final : public Subscription {
 public:
  PlainSubscription(std::string name, Subscription::Handler& handler)
      : name_(std::move(name)), handler_(handler) {}

  void begin(TimePoint) override {
    register_ = true;
    over_ = heard_ = false;
    handler_.on_subscribed();
  }
  void leave(TimePoint) override { over_ = true; }
  const datagram::Counters& counters() const override { return counters_; }

 private:
  void on_datagram(const datagram::Path&, std::string_view datagram, TimePoint) override {
    ++counters_.datagrams_in;
    if (over_) return;
    if (!std::exchange(heard_, true) && datagram::is_plain_refusal(datagram)) {
      over_ = true;
      return handler_.on_lost(datagram::plain_refused());
    }
    handler_.on_alive();
    handler_.on_record(0, {}, datagram);
  }
  void tick(TimePoint) override { register_ = true; }
  TimePoint next_deadline() const override { return over_ ? TimePoint::max() : next_; }
  bool drain(datagram::OutputQueue& queue, TimePoint now) override {
    if (over_ || !std::exchange(register_, false)) return false;
    queue.add({}, name_);
    ++counters_.datagrams_out;
    next_ = now + kRepeat;
    return false;
  }
  void on_refused(const Endpoint&, int error) override {
    if (!std::exchange(over_, true)) handler_.on_lost({.why = error_text(error)});
  }
  void on_next_address(TimePoint) override { register_ = true; }

  std::string name_;
  Subscription::Handler& handler_;
  datagram::Counters counters_;
  TimePoint next_ = TimePoint::max();
  bool register_ = false;  // now
  bool over_ = true;       // it has been said
  bool heard_ = false;     // anything
};

}  // namespace

std::unique_ptr<Subscription> make_native_subscription(const std::string& name,
                                                       const datagram::Options& options,
                                                       const Position& position,
                                                       Subscription::Handler& handler) {
  return std::make_unique<NativeSubscription>(name, options, position, handler);
}

std::unique_ptr<Subscription> make_plain_subscription(const std::string& name,
                                                      Subscription::Handler& handler) {
  return std::make_unique<PlainSubscription>(name, handler);
}

}  // namespace netkit::push
