// What comes from the stream, and what goes into it.
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

std::size_t size_of(const Entry& entry) {
  std::size_t size = sizeof entry + entry.text.size() + entry.topic.size();
  for (const store::Field& field : entry.fields) {
    size += sizeof field + field.name.size() + field.value.size();
  }
  return size;
}

}  // namespace

// All there is, page by page.
void RedisEngine::read_forwards() {
  commands().send({"XRANGE", keys_.stream, position_, "+", "COUNT", page()},
                  [this](const Reply& reply) {
                    if (is_trouble(reply)) return;
                    std::vector<Entry> entries;
                    for (std::size_t i = 0; i < reply.size(); ++i) {
                      auto entry = read_entry(reply[i]);
                      if (!entry) continue;
                      read_ = {entry->number, std::string(reply[i][0].text())};
                      entries.push_back(*std::move(entry));
                    }
                    tell(std::move(entries));
                    if (reply.size() == 0) {
                      if (position_ == "-") position_ = "0-0";
                      if (position_.starts_with('(')) position_.erase(0, 1);
                      return be_open();
                    }
                    position_ = fmt::format("({}", reply[reply.size() - 1][0].text());
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
      older_size_ += size_of(*entry);
      older_.push_back(*std::move(entry));
    }
    is_enough =
        number <= next_ || number > state_.last || older_size_ > kMostOlder || count_wanted() == 0;
  }
  if (!is_enough) {
    return read_backwards(fmt::format("({}", reply[reply.size() - 1][0].text()));
  }
  std::ranges::reverse(older_);
  tell(std::exchange(older_, {}));
  be_open();
}

// ---- entries come

// Who appended last knows what it appends next: of that the first entry is enough, as a sign.
void RedisEngine::follow() {
  follower_->confirm();
  asked_ = around_.loop.now();
  follower_->send(
      {"XREAD", "BLOCK", kBlockMilliseconds, "COUNT", read_.number == own_.last ? "1" : page(),
       "STREAMS", keys_.stream, position_},
      [this](const Reply& reply) { on_followed(reply); }, kBlock + Connection::kPatience);
}

void RedisEngine::on_followed(const Reply& reply) {
  if (is_trouble(reply)) return;
  if (reply.is_error()) return retry(escaped_text(reply.text()));
  const Reply found = reply[0][1];
  const std::uint64_t read_before = read_.number;
  std::vector<Entry> entries;
  bool is_own = false;  // the newest of them
  for (std::size_t i = 0; i < found.size(); ++i) {
    position_ = found[i][0].text();
    auto entry = read_entry(found[i]);
    if (!entry) continue;
    // Numbers that have been read before are another's: kAttach will notice.
    if (entry->number > read_.number) read_ = {entry->number, position_};
    is_own = entry->writer == settings_.writer;
    entries.push_back(*std::move(entry));
  }
  const bool is_pointless = read_.number <= read_before && around_.loop.now() - asked_ < kPause;
  tell(std::move(entries));
  // The answer says how many there are.
  waits_for_answer_ = appending_ && is_own && read_.number > own_.last;
  if (waits_for_answer_) return;
  skip_own();
  // What was told is on its way to its readers first.
  follow_ = around_.loop.after(is_pointless ? kPause : Duration::zero(), [this] { follow(); });
}

void RedisEngine::skip_own() {
  if (read_.number < own_.first || read_.number >= own_.last || next_ <= own_.last) return;
  position_ = own_.id;
  read_ = {own_.last, own_.id};
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
  const Batch batch(entries, settings_.keep_last);
  const std::string keep = std::to_string(std::max<std::size_t>(settings_.keep, 1));
  const std::string epoch = std::to_string(state_.epoch);
  const std::string writer = fmt::format("writer:{}", settings_.writer);
  const std::string seconds = seconds_now();
  std::vector<std::string_view> arguments{epoch, keep, writer, seconds};
  arguments.insert(arguments.end(), batch.arguments().begin(), batch.arguments().end());
  const std::string_view keys[] = {keys_.stream, keys_.state, keys_.last};
  // The name of a script is shorter than the script.
  const Connection::Script script = append_script_.empty()
                                        ? Connection::Script{"EVAL", kAppend}
                                        : Connection::Script{"EVALSHA", append_script_};
  appending_ = true;
  if (settings_.follow) batch_.assign(entries.begin(), entries.end());
  commands().run_script(script, keys, arguments,
                        [this, sequence = entries.back().sequence](const Reply& reply) {
                          on_appended(reply, sequence);
                        });
}

void RedisEngine::on_appended(const Reply& reply, std::uint64_t sequence) {
  if (is_trouble(reply)) return;
  appending_ = false;
  std::vector<Entry> batch = std::exchange(batch_, {});
  if (reply.is_error()) {
    const std::string_view why = why_refused(reply.text());
    read_on();
    return handler_.on_refused(why.empty() ? escaped_text(reply.text()) : std::string(why));
  }
  const std::uint64_t newest = reply[0].number();
  known_ = std::max(known_, newest);
  // Where some of them had been appended before, they are read.
  if (reply[1].number() != batch.size()) batch.clear();
  if (!batch.empty()) {
    own_ = {newest + 1 - batch.size(), newest, std::string(reply[2].text())};
    acknowledged_ = {newest, own_.id};
  }
  // The store has the next ones while these are told.
  handler_.on_appended(sequence);
  // Others that stand before them are told first: then they are read as well.
  if (!batch.empty() && next_ >= own_.first) {
    for (std::size_t i = 0; i < batch.size(); ++i) batch[i].number = own_.first + i;
    tell(std::move(batch));
  }
  read_on();
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
    older_size_ += size_of(*entry);
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
