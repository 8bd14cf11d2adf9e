// Reading from the stream, and appending to it.
#include <algorithm>
#include <redis/engine.hpp>
#include <redis/entry.hpp>
#include <redis/meaning.hpp>
#include <redis/scripts.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/store/packed.hpp>
#include <netkit/util/text.hpp>

namespace netkit::redis {

namespace {

using store::Entry;

// Bytes that are read backwards, and of the last entries of topics.
constexpr std::size_t kMostOlder = std::size_t{256} << 20U;
// Before it is asked again, if it has nothing.
constexpr Duration kPause = std::chrono::milliseconds(20);
constexpr Duration kBlock = std::chrono::seconds(10);  // how long XREAD waits
constexpr std::string_view kBlockMilliseconds = "10000";
constexpr std::size_t kMostRuns = 16;  // of one's own that are known; what was forgotten is read

}  // namespace

// All there is, page by page.
void RedisEngine::read_forwards() {
  commands().send({"XRANGE", keys_.stream, position_, "+", "COUNT", page()},
                  [this](const Reply& reply) {
                    if (is_trouble(reply)) return;
                    std::vector<Entry> entries;
                    std::string last;
                    const bool are_real = read_entries(reply, last, entries);
                    tell(std::move(entries));
                    if (!last.empty()) position_ = fmt::format("({}", last);
                    if (!are_real) return ask_newest([this] { read_forwards(); });
                    if (reply.size() == 0) {
                      if (position_ == "-") position_ = "0-0";
                      if (position_.starts_with('(')) position_.erase(0, 1);
                      return be_open();
                    }
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
    auto entry = read_entry(reply[i]);
    if (!entry) continue;
    const std::uint64_t number = entry->number;
    if (older_.empty() && number <= state_.last) {
      read_ = {number, std::string(reply[i][0].text())};
    }
    if (number >= next_ && number <= state_.last) {
      older_size_ += sizeof *entry + entry->size();
      older_.push_back(*std::move(entry));
    }
    is_enough = number <= next_ || older_size_ > kMostOlder || count_wanted() == 0;
  }
  if (!is_enough) {
    return read_backwards(fmt::format("({}", reply[reply.size() - 1][0].text()));
  }
  std::ranges::reverse(older_);
  tell(std::exchange(older_, {}));
  be_open();
}

// ---- entries come

// The last writer knows what it appends next: the first entry of that is enough as a sign.
void RedisEngine::follow() {
  follower_->confirm();
  asked_ = around_.loop.now();
  follower_->send(
      {"XREAD", "BLOCK", kBlockMilliseconds, "COUNT", read_.number == skipped_ ? "1" : page(),
       "STREAMS", keys_.stream, position_},
      [this](const Reply& reply) { on_followed(reply); }, kBlock + Connection::kPatience);
}

void RedisEngine::on_followed(const Reply& reply) {
  if (is_trouble(reply)) return;
  if (reply.is_error()) return retry(escaped_text(reply.text()));
  const Reply found = reply[0][1];
  const std::uint64_t read_before = read_.number;
  std::vector<Entry> entries;
  const bool are_real = read_entries(found, position_, entries);
  const bool is_own = !entries.empty() && entries.back().writer == settings_.writer;
  const bool is_pointless = read_.number <= read_before && around_.loop.now() - asked_ < kPause;
  tell(std::move(entries));
  if (!are_real) {
    return ask_newest([this, asked = follower_.get()] {
      if (follower_.get() == asked) follow();
    });
  }
  // The answer says how many there are.
  waits_for_answer_ = !appending_.empty() && is_own && read_.number > acknowledged_.number;
  if (waits_for_answer_) return;
  skip_own();
  // What was told is on its way to its readers first.
  follow_ = around_.loop.after(is_pointless ? kPause : Duration::zero(), [this] { follow(); });
}

void RedisEngine::skip_own() {
  while (!own_.empty() && own_.front().last <= read_.number) own_.pop_front();
  if (own_.empty() || read_.number < own_.front().first || next_ <= own_.front().last) return;
  position_ = own_.front().id;
  skipped_ = own_.front().last;
  read_ = {skipped_, position_};
  own_.pop_front();
}

// Numbers are given one by one: the store is asked about one that is further on, as it may be what
// another program has written. Entries are read up to there, and from there on when it is known.
bool RedisEngine::read_entries(const Reply& found, std::string& last, std::vector<Entry>& entries) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string_view id = found[i][0].text();
    auto entry = read_entry(found[i]);
    if (entry && entry->number > known_ + 1) {
      if (std::exchange(asked_of_, id) != id) return false;
      pass_over(id);
      entry.reset();
    }
    last = id;
    if (!entry) continue;
    known_ = std::max(known_, entry->number);
    // Numbers that have been read before are another's: kAttach will notice.
    if (entry->number > read_.number) read_ = {entry->number, last};
    entries.push_back(*std::move(entry));
  }
  return true;
}

void RedisEngine::ask_newest(std::function<void()> go_on) {
  commands().send({"HGET", keys_.state, "n"}, [this, go_on](const Reply& reply) {
    if (is_trouble(reply)) return;
    if (reply.is_error()) return retry(escaped_text(reply.text()));
    known_ = std::max(known_, reply.number());
    go_on();
  });
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
    commands().eval(kAdopt, {keys_.stream, keys_.state}, {reply[0].text()},
                    [this](const Reply& done) { is_trouble(done); });
  } else {
    pass_over(reply[0].text());
  }
  return std::nullopt;
}

void RedisEngine::pass_over(std::string_view id) {
  handler_.on_skipped(1);
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
  const std::uint64_t before = appending_.empty() ? 0 : appending_.back().sequence;
  appending_.push_back({.sequence = entries.back().sequence});
  if (settings_.follow) appending_.back().entries.assign(entries.begin(), entries.end());
  if (entries.front().sequence <= given_) mark_.clear();  // again
  given_ = entries.back().sequence;
  const std::string mark_before = std::exchange(mark_, fmt::format("{} {}", given_, seconds_now()));
  if (entries.size() == 1 && before == 0 && !settings_.keep_last) {
    append_one(entries.front(), mark_before);
  } else {
    append_many(entries, mark_before, std::to_string(before));
  }
}

void RedisEngine::append_one(const Entry& entry, const std::string& mark_before) {
  const std::string epoch = std::to_string(state_.epoch);
  const std::string sequence = std::to_string(entry.sequence);
  const std::string newest = std::to_string(known_);
  const std::string next = std::to_string(known_ + 1);
  const std::vector<store::Field> fields = fields_of(entry);
  std::vector<std::string_view> arguments{epoch,       keep_,    mark_field_, mark_,
                                          mark_before, sequence, newest,      next};
  for (const store::Field& field : fields) {
    arguments.insert(arguments.end(), {field.name, field.value});
  }
  run_append(append_one_, kAppendOne, arguments);
}

void RedisEngine::append_many(std::span<const Entry> entries, const std::string& mark_before,
                              const std::string& before) {
  const Batch batch(entries, settings_.keep_last);
  const std::string epoch = std::to_string(state_.epoch);
  const std::string writer = std::to_string(settings_.writer);
  // However few are kept: others read a batch once it is there.
  const std::string keep = std::to_string(std::max(settings_.keep, entries.size()));
  std::vector<std::string_view> arguments{epoch, keep,        mark_field_, writer,
                                          mark_, mark_before, before};
  arguments.insert(arguments.end(), batch.arguments().begin(), batch.arguments().end());
  run_append(append_many_, kAppend, arguments);
}

// The name of a script is shorter than the script.
void RedisEngine::run_append(const std::string& name, const char* script,
                             std::span<const std::string_view> arguments) {
  const std::string_view keys[] = {keys_.stream, keys_.state, keys_.last};
  const Connection::Script how =
      name.empty() ? Connection::Script{"EVAL", script} : Connection::Script{"EVALSHA", name};
  commands().run_script(how, keys, arguments, [this](const Reply& reply) { on_appended(reply); });
}

void RedisEngine::on_appended(const Reply& reply) {
  if (is_trouble(reply) || appending_.empty()) return;
  Given batch = std::move(appending_.front());
  appending_.pop_front();
  if (reply.is_error() || !refusal_.empty()) return on_refused(std::string(reply.text()));
  const std::uint64_t newest = reply[0].number();
  known_ = std::max(known_, newest);
  std::vector<Entry>& entries = batch.entries;
  // Where some of them had been appended before, they are read.
  if (reply[1].number() != entries.size()) entries.clear();
  const std::uint64_t first = newest + 1 - entries.size();
  if (!entries.empty()) {
    acknowledged_ = {newest, std::string(reply[2].text())};
    own_.push_back({first, newest, acknowledged_.id});
    if (own_.size() > kMostRuns) own_.pop_front();
  }
  // The store has the next ones while these are told.
  handler_.on_appended(batch.sequence);
  // Others that stand before them are told first: then they are read as well.
  if (!entries.empty() && next_ >= first) {
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].number = first + i;
    tell(std::move(entries));
  }
  read_on();
}

// The script takes none that follow one that it has refused.
void RedisEngine::on_refused(const std::string& error) {
  if (refusal_.empty()) {
    refusal_ = why_refused(error);
    if (refusal_.empty()) refusal_ = escaped_text(error);
  }
  if (!appending_.empty()) return;
  read_on();
  handler_.on_refused(std::exchange(refusal_, {}));
}

void RedisEngine::read_on() {
  if (!std::exchange(waits_for_answer_, false)) return;
  skip_own();
  follow();
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
    older_size_ += sizeof *entry + entry->size();
    older_.push_back(*std::move(entry));
  }
  const std::string_view cursor = reply[0].text();
  if (!cursor.empty() && cursor != "0" && older_size_ <= kMostOlder)
    return read_last_from(std::string(cursor));
  std::ranges::sort(older_, {}, &Entry::number);
  // One may be met twice.
  const auto again = std::unique(older_.begin(), older_.end(), [](const Entry& a, const Entry& b) {
    return a.number == b.number;
  });
  older_.erase(again, older_.end());
  handler_.on_last(std::exchange(older_, {}));
}

}  // namespace netkit::redis
