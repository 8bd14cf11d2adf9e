#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <netkit/store/stream.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit::store {

namespace {

// What goes to the store at once, at most.
constexpr std::size_t kMaxBatchBytes = std::size_t{1} << 20U;
// How often a store is asked again that took nothing.
constexpr Duration kRetry = std::chrono::milliseconds(250);

std::string range(std::uint64_t from, std::uint64_t to) {
  return from == to ? fmt::format("entry {}", from) : fmt::format("entries {} to {}", from, to);
}

}  // namespace

std::string_view Entry::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? std::string_view() : std::string_view(found->value);
}

std::string_view scheme_of(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos || colon + 1 == url.size()) return {};
  return url.substr(0, colon);
}

Stream::Stream(const Surroundings& around, const MakeEngine& make, const Options& options,
               Handler& handler)
    : around_(around),
      options_(options),
      handler_(handler),
      turn_(around.loop.before_wait([this] { send_batch(); })) {
  Engine::Handler& own = *this;
  engine_ = make(options_.settings, own);
}

Stream::~Stream() = default;

std::string Stream::why_full() const {
  return fmt::format("the store {}, and {} entries are waiting (--store-queue)",
                     open_ ? "does not keep up" : "is unavailable", options_.queue);
}

std::string Stream::why_not_stored() const {
  return fmt::format("{} {} not stored: the store {}", waiting(),
                     waiting() == 1 ? "entry is" : "entries are",
                     !open_             ? "is unavailable"
                     : refusal_.empty() ? "does not answer"
                                        : "refuses entries");
}

std::uint64_t Stream::append(Entry entry, Wish wish) {
  if (full() && wish == Wish::refuse) {
    ++counters_.refused;
    return 0;
  }
  entry.writer = options_.settings.writer;
  entry.sequence = next_ticket_++;
  const std::uint64_t ticket = entry.sequence;
  queue_.push_back({std::move(entry), wish});
  return ticket;
}

void Stream::fill_batch() {
  std::size_t bytes = 0;
  const std::size_t most = engine_->most_at_once();
  while (!queue_.empty() && batch_.size() < most && bytes < kMaxBatchBytes) {
    bytes += queue_.front().entry.text.size();
    batch_.push_back(std::move(queue_.front().entry));
    wishes_.push_back(queue_.front().wish);
    queue_.pop_front();
  }
}

// What comes together in one turn goes out together; what comes while the store answers, with the
// next batch.
void Stream::send_batch() {
  if (!open_ || in_flight_ || retry_.pending()) return;
  fill_batch();
  if (batch_.empty()) return;
  in_flight_ = true;
  engine_->append(batch_);
}

void Stream::on_open(const State& state) {
  const State before = std::exchange(state_, state);
  open_ = true;
  in_flight_ = false;
  retry_.reset();
  forget_heard();
  if (ever_open_ && before.epoch != state.epoch) say_lost(state);
  if (!names_.empty()) renew();
  const bool is_first = !std::exchange(ever_open_, true);
  if (is_first) {
    last_ = std::max(last_, state.last);
    reads_last_ = options_.settings.keep_last;
  }
  // The answer is lost with an outage.
  if (reads_last_) return engine_->read_last();
  is_first ? handler_.on_store_open() : handler_.on_store_change();
}

// A batch is stored as a whole: where something of it has been heard, only the answer was lost, and
// all have it, whatever became of the store since.
void Stream::forget_heard() {
  if (batch_.empty() || heard_ < batch_.front().sequence) return;
  counters_.appended += batch_.size();
  const std::uint64_t sequence = batch_.back().sequence;
  batch_.clear();
  wishes_.clear();
  handler_.on_stored(sequence);
}

void Stream::say_lost(const State& now) {
  if (now.survived == 0 && last_ > 0) {
    around_.log.error(
        fmt::format("the store was emptied: entries up to {} are gone; numbers continue with {}",
                    last_, now.last + 1));
  } else if (now.survived < last_) {
    around_.log.error(fmt::format("the store has lost its newest {}; numbers continue with {}",
                                  range(now.survived + 1, last_), now.last + 1));
  }
  if (now.last > last_) lose(last_ + 1, now.last);
}

void Stream::lose(std::uint64_t from, std::uint64_t to) {
  counters_.lost += to - from + 1;
  last_ = to;
  around_.log.error(fmt::format("the store does not have {}", range(from, to)));
  handler_.on_lost_entries(from, to);
}

void Stream::on_entries(std::span<const Entry> entries) {
  for (const Entry& entry : entries) take(entry);
}

void Stream::take(const Entry& entry) {
  if (entry.number <= last_) return;
  if (last_ != 0 && entry.number > last_ + 1) {
    lose(last_ + 1, entry.number - 1);
  } else if (last_ == 0 && options_.settings.since > 1 && entry.number > options_.settings.since) {
    lose(options_.settings.since, entry.number - 1);
  }
  last_ = entry.number;
  const bool own = entry.writer == options_.settings.writer;
  if (own) heard_ = std::max(heard_, entry.sequence);
  if (!own && ever_open_) ++counters_.came;
  handler_.on_entry(entry, own ? entry.sequence : 0);
}

void Stream::on_appended(std::uint64_t sequence) {
  in_flight_ = false;
  counters_.appended += batch_.size();
  batch_.clear();
  wishes_.clear();
  if (!std::exchange(refusal_, {}).empty()) around_.log.notice("the store accepts entries again");
  send_batch();  // the store has work while the others are told
  handler_.on_stored(sequence);
  handler_.on_store_change();
}

// Who can be told is told; what a source gave waits.
void Stream::on_refused(std::string_view why) {
  in_flight_ = false;
  if (refusal_.empty()) {
    around_.log.error(fmt::format("the store refuses entries: {}; trying again", why));
  }
  refusal_ = why;
  std::vector<Entry> kept;
  std::vector<std::uint64_t> refused;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    if (wishes_[i] == Wish::wait) {
      kept.push_back(std::move(batch_[i]));
    } else {
      refused.push_back(batch_[i].sequence);
    }
  }
  wishes_.assign(kept.size(), Wish::wait);
  batch_ = std::move(kept);
  counters_.refused += refused.size();
  retry_ = around_.loop.after(kRetry, [this] { send_batch(); });
  const std::string reason = fmt::format("the store refuses entries: {}", why);
  for (const std::uint64_t ticket : refused) handler_.on_refused(ticket, reason);
  handler_.on_store_change();
}

void Stream::on_away() {
  if (!std::exchange(open_, false)) return;
  in_flight_ = false;
  forget_heard();
  ++counters_.outages;
  renewal_.reset();
  handler_.on_store_change();
}

void Stream::on_failed(ExitStatus status, const std::string& error) {
  open_ = false;
  handler_.on_store_failed(status, error);
}

void Stream::on_last(std::span<const Entry> entries) {
  if (!std::exchange(reads_last_, false)) return;
  for (const Entry& entry : entries) handler_.on_last_entry(entry);
  handler_.on_store_open();
}

// ---- names

void Stream::claim(Claim claim) {
  names_[claim.name] = {.owner = claim.owner, .takes_over = claim.takes_over};
  if (!open_) return;
  engine_->claim(std::span(&claim, 1), options_.lease);
  if (!renewal_.pending()) {
    renewal_ = around_.loop.after(options_.lease / 3, [this] { renew(); });
  }
}

void Stream::release(const std::string& name) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  if (open_) engine_->release(name, found->second.owner);
  names_.erase(found);
}

void Stream::renew() {
  if (!open_ || names_.empty()) return;
  std::vector<Claim> claims;
  claims.reserve(names_.size());
  for (const auto& [name, mine] : names_) claims.push_back({name, mine.owner, mine.takes_over});
  engine_->claim(claims, options_.lease);
  renewal_ = around_.loop.after(options_.lease / 3, [this] { renew(); });
}

void Stream::on_claimed(const std::string& name, bool granted, const std::string& holder) {
  const auto found = names_.find(name);
  if (found == names_.end()) return;
  Name& mine = found->second;
  if (granted && std::exchange(mine.granted, true)) return;
  mine.takes_over = false;
  if (!granted) names_.erase(found);
  handler_.on_name(name, granted, holder);
}

void Stream::show(Totals& totals) const {
  totals.add("store_appended", counters_.appended);
  totals.add("store_received", counters_.came);
  totals.add("store_refused", counters_.refused);
  totals.add("store_lost", counters_.lost);
  totals.add("store_outages", counters_.outages);
  totals.add("store_waiting", std::uint64_t{waiting()});
}

}  // namespace netkit::store
