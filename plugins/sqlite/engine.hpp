// The engine of `sqlite:FILE`: a Database on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <sqlite/database.hpp>
#include <sqlite/file_watch.hpp>
#include <string>
#include <vector>

#include <netkit/loop/worker_loops.hpp>
#include <netkit/store/engine.hpp>

namespace netkit::sqlite {

class SqliteEngine final : public store::Engine {
 public:
  SqliteEngine(const store::Surroundings& around, std::string path, store::Settings settings,
               Handler& handler);
  ~SqliteEngine() override;

  void open() override;
  void append(std::span<const store::Entry> entries) override;
  // The worker has the next one when the disk has the one before.
  std::size_t most_in_flight() const override { return 2; }
  void claim(std::span<const store::Claim> claims, Duration lease) override;
  void release(const std::string& name, const std::string& owner) override;
  void list_names() override;
  void read_last() override;

 private:
  // What the worker has found, told on the loop; empty: nothing.
  using Report = std::function<void(SqliteEngine& engine)>;
  void work(std::function<Report()> job);
  EventLoop& worker();
  std::vector<store::Entry> news(std::vector<store::Entry> own);
  std::vector<store::Entry> read_news();
  void on_read(const std::vector<store::Entry>& entries, const store::State& state);
  void read_on(const store::State& state);
  void look();
  void trim_soon();
  void tell(const std::vector<store::Entry>& entries);

  store::Surroundings around_;
  std::string path_;
  store::Settings settings_;
  Handler& handler_;
  std::unique_ptr<Database> database_;   // the worker's, once there is one
  std::uint64_t next_ = 0;               // number of the next entry that is told; likewise
  std::shared_ptr<SqliteEngine*> self_;  // what the worker posts finds us by, as long as we live
  std::unique_ptr<FileWatch> watch_;
  Timer trim_;  // once the others have read what has been appended
  bool looking_ = false;
  bool has_told_all_ = false;  // that there was when it was opened
  std::size_t jobs_here_ = 0;  // posted to the loop itself
  std::size_t in_flight_ = 0;  // batches
  bool refuses_ = false;       // what was given behind a batch that it has refused: the worker's
  EventLoop* worker_ = nullptr;
  std::unique_ptr<WorkerLoops> thread_;  // the first to go
};

// Of NETKIT_STORE.
std::unique_ptr<store::Engine> make_engine(const store::Surroundings& around,
                                           const store::Settings& settings,
                                           store::Engine::Handler& handler);

}  // namespace netkit::sqlite
