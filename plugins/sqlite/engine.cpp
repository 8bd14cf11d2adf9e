#include <algorithm>
#include <sqlite/engine.hpp>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit::sqlite {

namespace {

using store::Entry;

constexpr std::size_t kAtOnce = 200;  // entries that are read in one query
// How long other servers may take until they have read what has been appended.
constexpr Duration kUntilRead = std::chrono::seconds(1);

}  // namespace

SqliteEngine::SqliteEngine(const store::Surroundings& around, std::string path,
                           store::Settings settings, Handler& handler)
    : around_(around),
      path_(std::move(path)),
      settings_(std::move(settings)),
      handler_(handler),
      self_(std::make_shared<SqliteEngine*>(this)) {}

SqliteEngine::~SqliteEngine() = default;

// The file is opened here, before a server gives up the rights that this needs. No thread is
// created before that, as it would keep them.
void SqliteEngine::open() {
  database_ = std::make_unique<Database>(path_, settings_);
  const store::State state = database_->state();
  next_ = settings_.since;
  if (next_ == 0) next_ = state.last + 1 - std::min<std::uint64_t>(settings_.newest, state.last);
  std::vector<Entry> first;
  if (settings_.follow) first = read_news();
  around_.loop.post([self = std::weak_ptr(self_), first = std::move(first), state] {
    if (const auto alive = self.lock()) (*alive)->on_read(first, state);
  });
}

// As many at once as a query gives: there may be more than anybody wants to hold.
void SqliteEngine::on_read(const std::vector<Entry>& entries, const store::State& state) {
  tell(entries);
  if (entries.size() == kAtOnce) return read_on(state);
  if (settings_.follow) {
    watch_ = std::make_unique<FileWatch>(around_.loop, path_ + "-wal", [this] { look(); });
  }
  handler_.on_open(state);
  if (!settings_.keep_last) has_told_all_ = true;
  if (settings_.follow) look();  // for what came before it was watched
}

void SqliteEngine::read_on(const store::State& state) {
  work([this, state]() -> Report {
    try {
      return
          [entries = read_news(), state](SqliteEngine& engine) { engine.on_read(entries, state); };
    } catch (const Trouble& trouble) {
      return [status = trouble.status(), why = std::string(trouble.what())](SqliteEngine& engine) {
        engine.handler_.on_failed(
            status, fmt::format("{}: '{}': {}", engine.settings_.option, engine.path_, why));
      };
    }
  });
}

// On the loop itself until all has been told that a server waits for, and on the worker from then
// on: never on both.
void SqliteEngine::work(std::function<Report()> job) {
  const bool is_here = !has_told_all_ || jobs_here_ > 0;
  if (is_here) ++jobs_here_;
  EventLoop& where = is_here ? around_.loop : worker();
  where.post([&loop = around_.loop, self = std::weak_ptr(self_), is_here, job = std::move(job)] {
    const auto here = self.lock();
    if (!here) return;
    Report report = job();
    if (is_here) --(*here)->jobs_here_;
    if (!report) return;
    loop.post([self, report = std::move(report)] {
      if (const auto alive = self.lock()) report(**alive);
    });
  });
}

EventLoop& SqliteEngine::worker() {
  if (!thread_) {
    thread_ =
        std::make_unique<WorkerLoops>(around_.loop.clock(), 1, [this](EventLoop& loop, unsigned) {
          worker_ = &loop;
          return std::shared_ptr<void>();
        });
  }
  return *worker_;
}

std::vector<Entry> SqliteEngine::read_news() {
  std::vector<Entry> entries = database_->read(next_, kAtOnce);
  if (!entries.empty()) next_ = entries.back().number + 1;
  return entries;
}

// What is to be told once `own` has been appended. Nobody else has appended anything since what was
// told last: then it is all there is, and need not be read. What cannot be read now is found by a
// later look(): what is in the store stays there, and what has been read is told.
std::vector<Entry> SqliteEngine::news(std::vector<Entry> own) {
  if (!settings_.follow) return {};
  if (!own.empty() && own.front().number == next_) {
    next_ = own.back().number + 1;
    return own;
  }
  std::vector<Entry> all;
  try {
    for (std::vector<Entry> more; !(more = read_news()).empty();) {
      std::ranges::move(more, std::back_inserter(all));
    }
  } catch (const Trouble&) {  // locked
  }
  return all;
}

void SqliteEngine::tell(const std::vector<Entry>& entries) {
  if (!entries.empty()) handler_.on_entries(entries);
}

// What was given behind a batch that is refused is refused with it, by one answer.
void SqliteEngine::append(std::span<const Entry> entries) {
  const bool is_first = in_flight_++ == 0;
  work([this, is_first,
        batch = std::vector<Entry>(entries.begin(), entries.end())]() mutable -> Report {
    refuses_ = refuses_ && !is_first;
    if (refuses_) return {};
    const std::uint64_t sequence = batch.back().sequence;
    try {
      return [told = news(database_->append(std::move(batch))), sequence](SqliteEngine& engine) {
        --engine.in_flight_;
        engine.trim_soon();
        engine.tell(told);
        engine.handler_.on_appended(sequence);
      };
    } catch (const Trouble& trouble) {
      refuses_ = true;
      return [why = std::string(trouble.what())](SqliteEngine& engine) {
        engine.in_flight_ = 0;
        engine.handler_.on_refused(why);
      };
    }
  });
}

void SqliteEngine::trim_soon() {
  if (trim_.pending()) return;
  trim_ = around_.loop.after(kUntilRead, [this] {
    work([this]() -> Report {
      try {
        database_->trim();
      } catch (const Trouble&) {  // the next time
      }
      return {};
    });
  });
}

void SqliteEngine::look() {
  if (std::exchange(looking_, true)) return;
  work([this]() -> Report {
    return [told = news({})](SqliteEngine& engine) {
      engine.looking_ = false;
      engine.tell(told);
    };
  });
}

void SqliteEngine::claim(std::span<const store::Claim> claims, Duration lease) {
  const WallTime now = around_.loop.clock().wall();
  work([this, claims = std::vector<store::Claim>(claims.begin(), claims.end()), lease,
        now]() -> Report {
    std::vector<std::string> holders;
    try {
      holders = database_->claim(claims, lease, now);
    } catch (const Trouble&) {
      // The owner of a name keeps it: the file accepts nobody else's either.
      for (const store::Claim& claim : claims) holders.push_back(claim.owner);
    }
    return [claims, holders = std::move(holders)](SqliteEngine& engine) {
      for (std::size_t i = 0; i < claims.size(); ++i) {
        engine.handler_.on_claimed(claims[i].name, holders[i] == claims[i].owner, holders[i]);
      }
    };
  });
}

void SqliteEngine::release(const std::string& name, const std::string& owner) {
  work([this, name, owner]() -> Report {
    try {
      database_->release(name, owner);
    } catch (const Trouble&) {  // its lease will run out
    }
    return {};
  });
}

void SqliteEngine::list_names() {
  const WallTime now = around_.loop.clock().wall();
  work([this, now]() -> Report {
    std::vector<std::string> names;
    try {
      names = database_->names(now);
    } catch (const Trouble&) {  // as if there were none
    }
    return [names = std::move(names)](SqliteEngine& engine) { engine.handler_.on_names(names); };
  });
}

void SqliteEngine::read_last() {
  work([this]() -> Report {
    std::vector<Entry> last;
    try {
      last = database_->last_of_topics();
    } catch (const Trouble&) {  // as if there were none
    }
    return [last = std::move(last)](SqliteEngine& engine) {
      engine.handler_.on_last(last);
      engine.has_told_all_ = true;
    };
  });
}

std::unique_ptr<store::Engine> make_engine(const store::Surroundings& around,
                                           const store::Settings& settings,
                                           store::Engine::Handler& handler) {
  std::string path = settings.url.substr(settings.url.find(':') + 1);
  if (path.find('?') != std::string::npos) {
    throw UsageError(fmt::format("{}: '{}': a SQLite file has no settings (write sqlite:FILE)",
                                 settings.option, settings.url));
  }
  return std::make_unique<SqliteEngine>(around, std::move(path), settings, handler);
}

}  // namespace netkit::sqlite
