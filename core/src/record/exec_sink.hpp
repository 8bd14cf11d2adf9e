// `--to exec:COMMAND`: a process per record.
#pragma once

#include "record/formatter.hpp"
#include "record/sink.hpp"

#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <netkit/loop/process.hpp>
#include <netkit/util/log.hpp>

namespace netkit {

struct ExecLimits {
  std::size_t processes = 8;   // at a time (--max-exec)
  std::size_t waiting = 1000;  // records (--max-exec-waiting), of 16 KiB on average
};

// The record's text is the command's standard input; its parts are in the environment, where no
// shell reads them as code: NETKIT_TEXT, NETKIT_TYPE, NETKIT_TIME, NETKIT_PEER, NETKIT_IP,
// NETKIT_PORT, and NETKIT_ with each field's name in capitals. A text that the environment cannot
// hold (a NUL in it, longer than 64 KiB) is on standard input only. What comes faster than the
// commands end waits up to a limit, and is then dropped and counted.
class ExecSink final : public Sink {
 public:
  ExecSink(std::string command, std::size_t number, std::unique_ptr<Formatter> formatter,
           EventLoop& loop, const Log& log, const ExecLimits& limits);
  void take(const Record& record) override;
  void flush() override {}
  bool busy() const override { return !running_.empty() || !waiting_.empty(); }
  void add_totals(Totals& totals) const override;

 private:
  struct Job {
    std::string text;
    std::vector<std::pair<std::string, std::string>> environment;
    std::size_t size() const;
  };
  struct Child {
    std::string text;
    std::size_t written = 0;
    FileDescriptor input;
    Watch watch;
    std::unique_ptr<Process> process;
  };
  using Children = std::list<Child>;

  Job make_job(const Record& record);
  void start(Job job);
  void feed(Child& child);
  void ended(Children::iterator child, ProcessEnd end);

  std::string command_;
  std::unique_ptr<Formatter> formatter_;
  EventLoop& loop_;
  const Log& log_;
  ExecLimits limits_;
  SinkTotals totals_;
  std::deque<Job> waiting_;
  std::size_t waiting_bytes_ = 0;
  Children running_;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t failed_ = 0;  // commands that ended with another status than 0
  bool said_unstarted_ = false;
};

}  // namespace netkit
