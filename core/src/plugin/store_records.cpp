#include "plugin/store_records.hpp"

#include <deque>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <netkit/store/options.hpp>
#include <netkit/store/stream.hpp>

namespace netkit {
namespace {

constexpr std::size_t kQueue = 10000;                         // as --store-queue has it
constexpr std::size_t kMostWaiting = std::size_t{16} << 20U;  // bytes of texts that wait

// Entries that arrive during a pause wait here. If there are too many, the stream is closed, and
// read again from there once they have been delivered.
class StoreFeed final : public RecordFeed, private store::Stream::Handler {
 public:
  StoreFeed(Host& host, const store::Place& place, RecordFeed::Give give)
      : host_(host), settings_(store::settings_of(place)), give_(std::move(give)) {
    open();
  }

  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    // Not from within: the caller of resume() may not be ready for records yet.
    next_ = host_.loop().after(Duration::zero(), [this] { give_waiting(); });
  }

 private:
  void on_store_open() override {}
  void on_entry(const store::Entry& entry, std::uint64_t) override {
    if (!stream_) return;
    if (!paused_ && waiting_.empty()) return give_(entry.text, entry.time);
    waiting_.push_back(entry);
    waiting_bytes_ += entry.text.size();
    if (waiting_.size() < kQueue && waiting_bytes_ < kMostWaiting) return;
    settings_.since = entry.number + 1;
    host_.loop().destroy_later(std::move(stream_));
  }
  void on_store_failed(ExitStatus status, const std::string& error) override {
    host_.finish(status, error);
  }
  void give_waiting() {
    while (!paused_ && !waiting_.empty()) {
      const store::Entry entry = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= entry.text.size();
      give_(entry.text, entry.time);
    }
    if (waiting_.empty() && !stream_) open();
  }
  void open() {
    store::Stream::Handler& handler = *this;
    stream_ = std::make_unique<store::Stream>(
        store::Surroundings{host_.loop(), host_.log()}, host_.stores(),
        store::Stream::Options{.settings = settings_, .queue = kQueue}, handler);
    stream_->open();
  }

  Host& host_;
  store::Settings settings_;
  RecordFeed::Give give_;
  std::deque<store::Entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool paused_ = true;
  Timer next_;
  std::unique_ptr<store::Stream> stream_;  // none: too many wait
};

// What a record is to a socket, it is to a store: its payload, or what --template makes of it.
class StoreSink final : public Sink, private store::Stream::Handler {
 public:
  StoreSink(const StoreSinkContext& context, const store::Place& place, std::size_t number,
            std::unique_ptr<Formatter> formatter)
      : clock_(context.clock),
        log_(context.log),
        failed_(context.failed),
        totals_("store", number),
        formatter_(std::move(formatter)),
        stream_({context.loop, context.log}, context.make, options_of(place), *this) {
    stream_.open();
  }

  void take(const Record& record) override {
    text_.clear();
    formatter_->format(record, text_);
    if (text_.empty() && !record.payload) return;
    store::Entry entry{.time = record.time == WallTime{} ? clock_.wall() : record.time,
                       .text = text_};
    for (const Field& field : record.fields) {
      const auto* const value = std::get_if<std::string_view>(&field.value);
      if (value != nullptr && field.name == "topic") entry.topic = *value;
    }
    if (stream_.append(std::move(entry), store::Wish::refuse) == 0)
      on_refused(0, stream_.why_not());
  }
  void flush() override {}
  bool is_written() const override { return true; }
  bool busy() const override { return stream_.waiting() > 0; }
  bool has_left_out() const override { return dropped_ > 0 || stream_.waiting() > 0; }
  void add_totals(Totals& totals) const override {
    totals.add(totals_.sent, stream_.counters().appended);
    totals.add(totals_.dropped, dropped_);
  }

 private:
  static store::Stream::Options options_of(const store::Place& place) {
    store::Stream::Options options{.settings = store::settings_of(place), .queue = kQueue};
    options.settings.follow = false;
    return options;
  }
  void on_store_open() override {}
  void on_entry(const store::Entry&, std::uint64_t) override {}
  void on_refused(std::uint64_t, std::string_view why) override {
    if (dropped_++ == 0) log_.error(fmt::format("--to: a record was skipped: {}", why));
  }
  void on_store_failed(ExitStatus status, const std::string& error) override {
    failed_(status, error);
  }

  const Clock& clock_;
  const Log& log_;
  SinkFailure failed_;
  SinkTotals totals_;
  std::unique_ptr<Formatter> formatter_;
  std::string text_;
  std::uint64_t dropped_ = 0;
  store::Stream stream_;
};

}  // namespace

std::unique_ptr<RecordFeed> open_store_feed(Host& host, const std::string& name,
                                            RecordFeed::Give give) {
  if (store::scheme_of(name).empty()) return nullptr;
  return std::make_unique<StoreFeed>(host, store::read_place(name, "--from"), std::move(give));
}

std::unique_ptr<Sink> open_store_sink(const StoreSinkContext& context, const SinkSpec& spec,
                                      std::size_t number, std::unique_ptr<Formatter> formatter) {
  return std::make_unique<StoreSink>(context, store::read_place(spec.target, "--to"), number,
                                     std::move(formatter));
}

}  // namespace netkit
