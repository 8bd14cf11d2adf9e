#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <netkit/store/stream.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/random.hpp>
#include <netkit/util/text.hpp>

namespace netkit::store {

namespace {

// What goes to the store at once, at most.
constexpr std::size_t kMaxBatchBytes = std::size_t{1} << 20U;
// How often a store that refused entries is tried again.
constexpr Duration kRetry = std::chrono::milliseconds(250);

std::string range(std::uint64_t from, std::uint64_t to) {
  return from == to ? fmt::format("entry {}", from) : fmt::format("entries {} to {}", from, to);
}

}  // namespace

std::string_view Entry::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? std::string_view() : std::string_view(found->value);
}

std::size_t Entry::size() const {
  std::size_t size = text.size() + topic.size();
  for (const Field& field : fields) size += field.name.size() + field.value.size();
  return size;
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
      turn_(around.loop.before_wait([this] { send_batches(); })) {
  Engine::Handler& own = *this;
  engine_ = make(options_.settings, own);
}

Stream::~Stream() = default;

std::string Stream::why_not_stored() const {
  return fmt::format("{} {} not stored: the store {}", waiting(),
                     waiting() == 1 ? "entry is" : "entries are",
                     !open_             ? "is unavailable"
                     : refusal_.empty() ? "does not answer"
                                        : "refuses entries");
}

std::uint64_t Stream::append(Entry entry, Wish wish) {
  if (full() && wish == Wish::refuse) {
    return refuse(fmt::format("the store {}, and {} entries are waiting (--store-queue)",
                              open_ ? "does not keep up" : "is unavailable", options_.queue));
  }
  const std::size_t size = entry.size();
  if (size > engine_->most_bytes()) {
    std::string why = fmt::format("an entry of {} bytes is too large: the store takes up to {}",
                                  size, format_size(engine_->most_bytes()));
    if (wish == Wish::wait) around_.log.error(why + "; skipped");
    return refuse(std::move(why));
  }
  entry.writer = options_.settings.writer;
  entry.sequence = next_ticket_++;
  const std::uint64_t ticket = entry.sequence;
  queue_.push_back({std::move(entry), wish});
  return ticket;
}

std::uint64_t Stream::refuse(std::string why) {
  ++counters_.refused;
  why_not_ = std::move(why);
  return 0;
}

// Entries of one turn are sent together; those that come before the store has answered, in the next
// batch. A half-full batch does not wait for the answer, so that a busy store always has work.
void Stream::send_batches() {
  while (open_ && !retry_.pending() && fill_batch()) engine_->append(batches_.back().entries);
}

bool Stream::fill_batch() {
  const std::size_t most = engine_->most_at_once();
  if (batches_.size() >= engine_->most_in_flight()) return false;
  if (queue_.size() < (batches_.empty() ? 1 : (most + 1) / 2)) return false;
  Batch& batch = batches_.emplace_back();
  std::size_t bytes = 0;
  while (!queue_.empty() && batch.entries.size() < most && bytes < kMaxBatchBytes) {
    bytes += queue_.front().entry.text.size();
    batch.entries.push_back(std::move(queue_.front().entry));
    batch.wishes.push_back(queue_.front().wish);
    queue_.pop_front();
  }
  in_flight_ += batch.entries.size();
  return true;
}

// Takes back the entries without an answer, to append them again; returns the tickets of those that
// are given up.
std::vector<std::uint64_t> Stream::take_back(bool with_refusable) {
  std::vector<std::uint64_t> left;
  for (; !batches_.empty(); batches_.pop_back()) {
    Batch& batch = batches_.back();
    for (std::size_t i = batch.entries.size(); i-- > 0;) {
      if (with_refusable || batch.wishes[i] == Wish::wait) {
        queue_.push_front({std::move(batch.entries[i]), batch.wishes[i]});
      } else {
        left.push_back(batch.entries[i].sequence);
      }
    }
  }
  in_flight_ = 0;
  std::ranges::reverse(left);
  return left;
}

void Stream::on_open(const State& state) {
  const State before = std::exchange(state_, state);
  open_ = true;
  retry_.reset();
  forget_heard();
  take_back(true);
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

// A batch is stored as a whole: if any of it has been received, only the answer was lost, and
// everybody has all of it, whatever has happened to the store since.
void Stream::forget_heard() {
  std::uint64_t last = 0;
  for (; !batches_.empty() && batches_.front().entries.front().sequence <= heard_;
       batches_.pop_front()) {
    const Batch& batch = batches_.front();
    last = batch.entries.back().sequence;
    in_flight_ -= batch.entries.size();
    counters_.appended += batch.entries.size();
  }
  for (; !queue_.empty() && queue_.front().entry.sequence <= heard_; queue_.pop_front()) {
    last = queue_.front().entry.sequence;
    ++counters_.appended;
  }
  if (last != 0) handler_.on_stored(last);
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
  if (batches_.empty()) return;
  in_flight_ -= batches_.front().entries.size();
  counters_.appended += batches_.front().entries.size();
  batches_.pop_front();
  if (!std::exchange(refusal_, {}).empty()) around_.log.notice("the store accepts entries again");
  send_batches();  // the store has work while the others are told
  handler_.on_stored(sequence);
  handler_.on_store_change();
}

// Refuses the entries whose senders can be told; those of a source wait.
void Stream::on_refused(std::string_view why) {
  if (refusal_.empty()) {
    around_.log.error(fmt::format("the store refuses entries: {}; trying again", why));
  }
  refusal_ = why;
  const std::vector<std::uint64_t> refused = take_back(false);
  counters_.refused += refused.size();
  retry_ = around_.loop.after(kRetry, [this] { send_batches(); });
  const std::string reason = fmt::format("the store refuses entries: {}", why);
  for (const std::uint64_t ticket : refused) handler_.on_refused(ticket, reason);
  handler_.on_store_change();
}

void Stream::on_away() {
  if (!std::exchange(open_, false)) return;
  forget_heard();
  take_back(true);
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
  totals.add("store_skipped", counters_.skipped);
  totals.add("store_outages", counters_.outages);
  totals.add("store_waiting", std::uint64_t{waiting()});
}

}  // namespace netkit::store
