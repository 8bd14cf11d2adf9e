#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sqlite/database.hpp>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <Poco/Data/LOB.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <Poco/Data/Session.h>
#include <fmt/format.h>

#include <netkit/store/packed.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/random.hpp>

namespace netkit::sqlite {

namespace {

using Poco::Int64;
using Poco::Data::BLOB;
using Poco::Data::Statement;
using Poco::Data::Keywords::into;
using Poco::Data::Keywords::now;
using Poco::Data::Keywords::use;
using store::Entry;

constexpr Int64 kApplication = 0x6e746b74;  // "ntkt": whose file it is
constexpr Int64 kVersion = 1;               // of the tables
constexpr std::string_view kMagic("SQLite format 3\0", 16);

constexpr const char* kTables[] = {
    "CREATE TABLE stream(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, identity INTEGER NOT "
    "NULL, epoch INTEGER NOT NULL, last INTEGER NOT NULL)",
    "CREATE TABLE entry(stream INTEGER, number INTEGER, time INTEGER, topic TEXT, text BLOB, "
    "fields BLOB, writer INTEGER, sequence INTEGER, PRIMARY KEY(stream, number)) WITHOUT ROWID",
    "CREATE TABLE last_entry(stream INTEGER, topic TEXT, number INTEGER, time INTEGER, text BLOB, "
    "fields BLOB, writer INTEGER, sequence INTEGER, PRIMARY KEY(stream, topic)) WITHOUT ROWID",
    "CREATE TABLE name(stream INTEGER, name TEXT, owner TEXT, until INTEGER, PRIMARY KEY(stream, "
    "name)) WITHOUT ROWID",
    "CREATE TABLE writer(stream INTEGER, writer INTEGER, sequence INTEGER, used INTEGER, PRIMARY "
    "KEY(stream, writer)) WITHOUT ROWID"};

// Entries beyond those that are kept, for other servers that have not read them yet.
constexpr std::size_t kStillToRead = 200;
// A writer that has appended nothing for so long will not repeat anything.
constexpr Int64 kWriterLife = Int64{7} * 24 * 3600 * 1'000'000;

Int64 microseconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

BLOB blob(std::string_view bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

std::string bytes_of(const BLOB& blob) {
  return {reinterpret_cast<const char*>(blob.rawContent()), blob.size()};
}

// Runs `work` and says what SQLite says as Trouble.
template <typename Work>
auto guarded(Work&& work) {
  try {
    return work();
  } catch (const Poco::Data::SQLite::DatabaseFullException&) {
    throw Trouble("its disk is full");
  } catch (const Poco::Data::SQLite::ReadOnlyException&) {
    throw Trouble("its file is read-only");
  } catch (const Poco::Data::SQLite::DBLockedException&) {
    throw Trouble("its file is locked by another program");
  } catch (const Poco::Data::SQLite::TableLockedException&) {
    throw Trouble("its file is locked by another program");
  } catch (const Poco::Exception& error) {
    throw Trouble(error.displayText());
  }
}

// Entries column by column, as queries give them and statements take many at once.
struct Columns {
  std::vector<Int64> number, time, writer, sequence;
  std::vector<std::string> topic;
  std::vector<BLOB> text, fields;

  void add(const Entry& entry) {
    number.push_back(static_cast<Int64>(entry.number));
    time.push_back(microseconds(entry.time));
    topic.push_back(entry.topic);
    text.push_back(blob(entry.text));
    fields.push_back(blob(store::pack(entry.fields)));
    writer.push_back(static_cast<Int64>(entry.writer));
    sequence.push_back(static_cast<Int64>(entry.sequence));
  }
  std::vector<Entry> entries() const {
    std::vector<Entry> all;
    all.reserve(number.size());
    for (std::size_t i = 0; i < number.size(); ++i) {
      all.push_back({.number = static_cast<std::uint64_t>(number[i]),
                     .time = WallTime(std::chrono::microseconds(time[i])),
                     .topic = topic[i],
                     .text = bytes_of(text[i]),
                     .fields = store::unpack(bytes_of(fields[i])),
                     .writer = static_cast<std::uint64_t>(writer[i]),
                     .sequence = static_cast<std::uint64_t>(sequence[i])});
    }
    return all;
  }
};

constexpr const char* kColumns = "number, time, topic, text, fields, writer, sequence";

// Its absolute name, so that no file of another folder is meant later, and none is taken for a URI.
std::string made_file(const std::string& path, const std::string& option) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) throw SystemError(errno, fmt::format("{}: cannot open '{}'", option, path));
  struct stat status = {};
  std::array<char, 16> head{};
  const bool is_regular = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t size = is_regular ? ::pread(file.get(), head.data(), head.size(), 0) : 0;
  if (size < 0) throw SystemError(errno, fmt::format("{}: cannot read '{}'", option, path));
  const std::string_view front(head.data(), static_cast<std::size_t>(size));
  if (!is_regular || (!front.empty() && front != kMagic)) {
    throw Error(ExitStatus::config,
                fmt::format("{}: '{}' is not a SQLite file; use another", option, path));
  }
  return path.starts_with('/') ? path : "./" + path;
}

}  // namespace

struct Database::Impl {
  Impl(const std::string& path, const store::Settings& wanted)
      : settings(wanted), session("SQLite", made_file(path, wanted.option)) {}

  void prepare(const std::string& path);
  void check_owner(const std::string& path);
  void make_tables();
  void open_stream();
  Int64 one(const std::string& query);
  void run(const std::string& statement) { session << statement, now; }
  template <typename Work>
  auto transaction(Work&& work);
  Int64 done_by(std::uint64_t writer);
  void write(std::string_view into_table, Columns& rows);
  void trim(Int64 last, std::size_t more);

  store::Settings settings;
  Poco::Data::Session session;
  Int64 stream = 0;  // the number of its row
};

Int64 Database::Impl::one(const std::string& query) {
  Int64 value = 0;
  session << query, into(value), now;
  return value;
}

// What another process wrote meanwhile is seen, and none writes until this is over.
template <typename Work>
auto Database::Impl::transaction(Work&& work) {
  return guarded([&] {
    run("BEGIN IMMEDIATE");
    try {
      auto result = work();
      run("COMMIT");
      return result;
    } catch (...) {
      try {
        run("ROLLBACK");
      } catch (const Poco::Exception&) {  // SQLite has done so itself
      }
      throw;
    }
  });
}

void Database::Impl::check_owner(const std::string& path) {
  const Int64 application = one("PRAGMA application_id");
  const bool is_new = application == 0 && one("SELECT count(*) FROM sqlite_master") == 0;
  if (!is_new && application != kApplication) {
    throw Error(ExitStatus::config,
                fmt::format("{}: '{}' is a SQLite file of another program; use another",
                            settings.option, path));
  }
  const Int64 version = one("PRAGMA user_version");
  if (version > kVersion) {
    throw Error(ExitStatus::config,
                fmt::format("{}: '{}' was made by a newer netkit (version {} of its tables; "
                            "this one knows {})",
                            settings.option, path, version, kVersion));
  }
}

void Database::Impl::make_tables() {
  if (one("SELECT count(*) FROM sqlite_master WHERE name = 'stream'") != 0) return;
  for (const char* table : kTables) run(table);
  run(fmt::format("PRAGMA application_id = {}", kApplication));
  run(fmt::format("PRAGMA user_version = {}", kVersion));
}

void Database::Impl::open_stream() {
  Int64 identity = static_cast<Int64>(random_id());
  Int64 epoch = static_cast<Int64>(random_id());
  std::string name = settings.stream;
  session << "INSERT INTO stream(name, identity, epoch, last) VALUES(?, ?, ?, 0) ON CONFLICT DO "
             "NOTHING",
      use(name), use(identity), use(epoch), now;
  session << "SELECT id FROM stream WHERE name = ?", use(name), into(stream), now;
  Int64 old = microseconds(SystemClock().wall()) - kWriterLife;
  session << "DELETE FROM writer WHERE stream = ? AND used < ?", use(stream), use(old), now;
}

void Database::Impl::prepare(const std::string& path) {
  run("PRAGMA busy_timeout = 2000");
  check_owner(path);
  std::string mode;
  session << "PRAGMA journal_mode = WAL", into(mode), now;
  run("PRAGMA synchronous = FULL");
  transaction([this] {
    make_tables();
    open_stream();
    return 0;
  });
}

Database::Database(const std::string& path, const store::Settings& settings) {
  Poco::Data::SQLite::Connector::registerConnector();
  try {
    guarded([&] {
      impl_ = std::make_unique<Impl>(path, settings);
      impl_->prepare(path);
      return 0;
    });
  } catch (const Trouble& trouble) {
    throw Error(trouble.status(),
                fmt::format("{}: '{}': {}", settings.option, path, trouble.what()));
  }
}

Database::~Database() = default;

store::State Database::state() {
  return guarded([this] {
    Int64 identity = 0;
    Int64 epoch = 0;
    Int64 last = 0;
    impl_->session << "SELECT identity, epoch, last FROM stream WHERE id = ?", use(impl_->stream),
        into(identity), into(epoch), into(last), now;
    const auto newest = static_cast<std::uint64_t>(last);
    return store::State{.stream = static_cast<std::uint64_t>(identity),
                        .epoch = static_cast<std::uint64_t>(epoch),
                        .last = newest,
                        .survived = newest};
  });
}

std::vector<Entry> Database::read(std::uint64_t from, std::size_t limit) {
  return guarded([&] {
    Columns found;
    Int64 first = static_cast<Int64>(from);
    impl_->session << fmt::format(
        "SELECT {} FROM entry WHERE stream = ? AND number >= ? ORDER BY number LIMIT {}", kColumns,
        limit),
        use(impl_->stream), use(first), into(found.number), into(found.time), into(found.topic),
        into(found.text), into(found.fields), into(found.writer), into(found.sequence), now;
    return found.entries();
  });
}

std::vector<Entry> Database::last_of_topics() {
  return guarded([&] {
    Columns found;
    impl_->session << fmt::format("SELECT {} FROM last_entry WHERE stream = ? ORDER BY number",
                                  kColumns),
        use(impl_->stream), into(found.number), into(found.time), into(found.topic),
        into(found.text), into(found.fields), into(found.writer), into(found.sequence), now;
    return found.entries();
  });
}

Int64 Database::Impl::done_by(std::uint64_t writer) {
  Int64 done = 0;
  Int64 who = static_cast<Int64>(writer);
  session << "SELECT sequence FROM writer WHERE stream = ? AND writer = ?", use(stream), use(who),
      into(done), now;
  return done;
}

void Database::Impl::trim(Int64 last, std::size_t more) {
  Int64 drop = last - static_cast<Int64>(std::max<std::size_t>(settings.keep, 1) + more);
  session << "DELETE FROM entry WHERE stream = ? AND number <= ?", use(stream), use(drop), now;
}

// One statement for all of them: it is made once.
void Database::Impl::write(std::string_view into_table, Columns& rows) {
  session << fmt::format("{}(stream, {}) VALUES({}, ?, ?, ?, ?, ?, ?, ?)", into_table, kColumns,
                         stream),
      use(rows.number), use(rows.time), use(rows.topic), use(rows.text), use(rows.fields),
      use(rows.writer), use(rows.sequence), now;
}

std::vector<Entry> Database::append(std::vector<Entry> entries) {
  if (entries.empty()) return entries;
  return impl_->transaction([&] {
    Impl& impl = *impl_;
    Columns rows;
    Int64 last = 0;
    impl.session << "SELECT last FROM stream WHERE id = ?", use(impl.stream), into(last), now;
    const auto done = static_cast<std::uint64_t>(impl.done_by(entries.front().writer));
    std::erase_if(entries, [done](const Entry& entry) { return entry.sequence <= done; });
    if (entries.empty()) return entries;
    for (Entry& entry : entries) {
      entry.number = static_cast<std::uint64_t>(++last);
      rows.add(entry);
    }
    impl.write("INSERT INTO entry", rows);
    if (impl.settings.keep_last) impl.write("REPLACE INTO last_entry", rows);
    Int64 used = microseconds(SystemClock().wall());
    impl.session << "UPDATE stream SET last = ? WHERE id = ?", use(last), use(impl.stream), now;
    impl.session << "REPLACE INTO writer VALUES(?, ?, ?, ?)", use(impl.stream),
        use(rows.writer.back()), use(rows.sequence.back()), use(used), now;
    impl.trim(last, std::max(kStillToRead, entries.size()));
    return std::move(entries);
  });
}

void Database::trim() {
  guarded([this] {
    impl_->trim(impl_->one(fmt::format("SELECT last FROM stream WHERE id = {}", impl_->stream)), 0);
    return 0;
  });
}

std::vector<std::string> Database::claim(std::span<const store::Claim> claims, Duration lease,
                                         WallTime now_is) {
  return impl_->transaction([&] {
    std::vector<std::string> holders;
    Int64 time = microseconds(now_is);
    Int64 until = microseconds(now_is + lease);
    impl_->session << "DELETE FROM name WHERE stream = ? AND until <= ?", use(impl_->stream),
        use(time), now;
    for (store::Claim claim : claims) {
      Int64 takes_over = claim.takes_over ? 1 : 0;
      impl_->session << "INSERT INTO name VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET owner = "
                        "excluded.owner, until = excluded.until WHERE owner = excluded.owner OR "
                        "until <= ? OR ?",
          use(impl_->stream), use(claim.name), use(claim.owner), use(until), use(time),
          use(takes_over), now;
      impl_->session << "SELECT owner FROM name WHERE stream = ? AND name = ?", use(impl_->stream),
          use(claim.name), into(holders.emplace_back()), now;
    }
    return holders;
  });
}

void Database::release(const std::string& name, const std::string& owner) {
  guarded([&] {
    std::string free = name;
    std::string mine = owner;
    impl_->session << "DELETE FROM name WHERE stream = ? AND name = ? AND owner = ?",
        use(impl_->stream), use(free), use(mine), now;
    return 0;
  });
}

std::vector<std::string> Database::names(WallTime now_is) {
  return guarded([&] {
    std::vector<std::string> names;
    Int64 time = microseconds(now_is);
    impl_->session << "SELECT name FROM name WHERE stream = ? AND until > ?", use(impl_->stream),
        use(time), into(names), now;
    return names;
  });
}

}  // namespace netkit::sqlite
