#include "support/temp_folder.hpp"

#include <fcntl.h>
#include <functional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

using test::FakeClock;
using test::FakeHost;
using test::TempFolder;
using Options = std::map<std::string, std::vector<std::string>>;

class SourcesTest : public testing::Test, public Sources::Handler {
 protected:
  void on_source_record(std::string_view text, WallTime /*time*/) override {
    lines_.emplace_back(text);
    if (on_line_) on_line_();
  }
  void on_sources_end() override { ++ends_; }
  bool on_source_failed(ExitStatus status, const std::string& error) override {
    failures_.emplace_back(status, error);
    return ends_the_run_itself_;
  }

  Sources& open(const Options& options, const SourceDefaults& defaults = {}) {
    host_.emplace(options, std::vector<std::string>(), clock_);
    sources_ = open_sources(*host_, *this, defaults);
    return *sources_;
  }
  bool run_to_end() {
    return host_->run_until([&] { return ends_ > 0 || host_->finished; });
  }

  TempFolder folder_;
  const Clock* clock_ = nullptr;
  std::optional<FakeHost> host_;
  std::unique_ptr<Sources> sources_;
  std::vector<std::string> lines_;
  std::function<void()> on_line_;
  int ends_ = 0;
  bool ends_the_run_itself_ = false;
  std::vector<std::pair<ExitStatus, std::string>> failures_;
};

TEST_F(SourcesTest, ReadsTheLinesOfAFile) {
  Sources& sources = open({{"from", {"file:" + folder_.write("in", "a\r\nb\n\nlast")}}});
  EXPECT_TRUE(sources.paused());
  EXPECT_TRUE(sources.has_input());
  sources.resume();
  EXPECT_TRUE(lines_.empty());
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(lines_, (std::vector<std::string>{"a", "b", "", "last"}));
  EXPECT_TRUE(sources.ended());
  host_->loop().run_once(Duration::zero());
  EXPECT_EQ(ends_, 1);
}

TEST_F(SourcesTest, MergesSeveral) {
  open({{"from", {"file:" + folder_.write("a", "1\n2\n"), "file:" + folder_.write("b", "3\n")}}})
      .resume();
  ASSERT_TRUE(run_to_end());
  std::sort(lines_.begin(), lines_.end());
  EXPECT_EQ(lines_, (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(SourcesTest, PausesAtOnceInTheMiddleOfABatch) {
  Sources& sources = open({{"from", {"file:" + folder_.write("in", "a\nb\nc\n")}}});
  on_line_ = [&] { sources.pause(); };
  for (std::size_t i = 1; i <= 3; ++i) {
    sources.resume();
    ASSERT_TRUE(host_->run_until([&] { return lines_.size() == i; }));
    host_->loop().run_once(Duration::zero());
    EXPECT_EQ(lines_.size(), i);
  }
  EXPECT_EQ(ends_, 0);
  sources.resume();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(lines_, (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(SourcesTest, GoesOnWhenResumedInTheSameLine) {
  Sources& sources = open({{"from", {"file:" + folder_.write("in", "a\nb\nc\n")}}});
  on_line_ = [&] {
    sources.pause();
    sources.resume();
  };
  sources.resume();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(lines_.size(), 3U);
}

TEST_F(SourcesTest, MayBeDestroyedInTheMiddleOfABatch) {
  open({{"from", {"file:" + folder_.write("in", "a\nb\nc\n")}}}).resume();
  on_line_ = [&] { host_->loop().destroy_later(std::move(sources_)); };
  ASSERT_TRUE(host_->run_until([&] { return !lines_.empty() && !sources_; }));
}

TEST_F(SourcesTest, ReadsACommandsOutput) {
  open({{"from", {"exec:printf 'x\\ny\\n'"}}}).resume();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(lines_, (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(host_->log_lines.empty());
}

TEST_F(SourcesTest, SaysHowACommandEnded) {
  open({{"from", {"exec:echo x; exit 3"}}}).resume();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(lines_.size(), 1U);
  ASSERT_EQ(host_->log_lines.size(), 1U);
  EXPECT_EQ(host_->log_lines[0], "netkit: test: exec:echo x; exit 3 ended with status 3\n");
  EXPECT_EQ(host_->finished, std::nullopt);
}

TEST_F(SourcesTest, EndsTheRunAtALineThatIsTooLong) {
  open(
      {{"from", {"file:" + folder_.write("in", "short\nlonger than that\n")}}, {"max-line", {"8"}}})
      .resume();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(lines_, (std::vector<std::string>{"short"}));
  EXPECT_EQ(host_->finished, ExitStatus::protocol);
  EXPECT_NE(host_->error.find("is longer than 8 (--max-line)"), std::string::npos);
}

TEST_F(SourcesTest, LeavesTheEndAfterAFailureToWhoWantsItAndGivesNothingMore) {
  ends_the_run_itself_ = true;
  open({{"from", {"file:" + folder_.write("in", "short\nlonger than that\nc\n")}},
        {"max-line", {"8"}}})
      .resume();
  ASSERT_TRUE(host_->run_until([&] { return !failures_.empty(); }));
  sources_->resume();
  EXPECT_TRUE(sources_->paused());
  host_->loop().run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(lines_, (std::vector<std::string>{"short"}));
  ASSERT_EQ(failures_.size(), 1U);
  EXPECT_EQ(failures_[0].first, ExitStatus::protocol);
  EXPECT_NE(failures_[0].second.find("is longer than 8 (--max-line)"), std::string::npos);
  EXPECT_EQ(host_->finished, std::nullopt);
  EXPECT_EQ(ends_, 0);
}

TEST_F(SourcesTest, RefusesAFileThatIsNotThere) {
  try {
    open({{"from", {"file:" + folder_ / "none"}}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::output);
  }
}

TEST_F(SourcesTest, EndsTheRunWhenAFileCannotBeRead) {
  open({{"from", {"file:" + folder_ / ""}}}).resume();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(host_->finished, ExitStatus::output);
  EXPECT_NE(host_->error.find("is a directory"), std::string::npos);
}

TEST_F(SourcesTest, WaitsForTheWriterOfANamedPipe) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  open({{"from", {"file:" + folder_ / "fifo"}}}).resume();
  for (int i = 0; i < 3; ++i) host_->loop().run_once(std::chrono::milliseconds(1));
  EXPECT_EQ(ends_, 0);
  FileDescriptor writer(::open((folder_ / "fifo").c_str(), O_WRONLY));
  ASSERT_EQ(::write(writer.get(), "late\n", 5), 5);
  ASSERT_TRUE(host_->run_until([&] { return lines_.size() == 1; }));
  EXPECT_EQ(ends_, 0);
  writer.reset();
  ASSERT_TRUE(run_to_end());
}

TEST_F(SourcesTest, TicksWithTheMessage) {
  Sources& sources = open({{"every", {"1ms"}}, {"message", {"tick {seq}"}}});
  EXPECT_TRUE(sources.has_ticker());
  EXPECT_FALSE(sources.has_input());
  sources.resume();
  ASSERT_TRUE(host_->run_until([&] { return lines_.size() >= 2; }));
  EXPECT_EQ(lines_[0], "tick 1");
  EXPECT_EQ(lines_[1], "tick 2");
}

TEST_F(SourcesTest, TicksFirstAfterOneInterval) {
  FakeClock clock;
  clock_ = &clock;
  open({{"every", {"10s"}}}, {}).resume();
  host_->loop().run_once(Duration::zero());
  EXPECT_TRUE(lines_.empty());
  clock.advance(std::chrono::seconds(10));
  host_->loop().run_once(Duration::zero());
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(lines_[0].size(), std::string_view("2026-11-20 15:12:29").size());
  sources_.reset();
  host_.reset();
}

TEST_F(SourcesTest, NeverEndsWhileItTicks) {
  open({{"every", {"1h"}}, {"from", {"file:" + folder_.write("in", "a\n")}}}).resume();
  ASSERT_TRUE(host_->run_until([&] { return lines_.size() == 1; }));
  for (int i = 0; i < 3; ++i) host_->loop().run_once(Duration::zero());
  EXPECT_EQ(ends_, 0);
}

TEST_F(SourcesTest, KeepsWhatACommandPrintedDuringAPause) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  Sources& sources =
      open({{"every", {"1ms"}},
            {"exec",
             {"read word < " + folder_ / "fifo" + " && echo $word && echo > " + folder_ / "end"}},
            {"on-change", {"0"}}});
  sources.resume();
  // Opened once the command reads.
  FileDescriptor writer;
  ASSERT_TRUE(host_->run_until([&] {
    writer.reset(::open((folder_ / "fifo").c_str(), O_WRONLY | O_NONBLOCK));
    return static_cast<bool>(writer);
  }));
  sources.pause();
  ASSERT_EQ(::write(writer.get(), "late\n", 5), 5);
  ASSERT_TRUE(host_->run_until([&] { return !folder_.read("end").empty(); }));
  EXPECT_FALSE(host_->run_until([&] { return !lines_.empty(); }, std::chrono::milliseconds(50)));
  sources.resume();
  ASSERT_TRUE(host_->run_until([&] { return !lines_.empty(); }));
  EXPECT_EQ(lines_.front(), "late");
}

TEST_F(SourcesTest, DoesNotTickWhilePaused) {
  open({{"every", {"1ms"}}});
  for (int i = 0; i < 5; ++i) host_->loop().run_once(std::chrono::milliseconds(2));
  EXPECT_TRUE(lines_.empty());
}

TEST_F(SourcesTest, TakesTheDefaultTickerWhenNothingIsGiven) {
  SourceDefaults defaults;
  defaults.every = std::chrono::milliseconds(1);
  defaults.message = "d";
  open({}, defaults).resume();
  ASSERT_TRUE(host_->run_until([&] { return !lines_.empty(); }));
  EXPECT_EQ(lines_[0], "d");
}

TEST_F(SourcesTest, LeavesTheDefaultTickerAsideWhenThereIsASource) {
  SourceDefaults defaults;
  defaults.every = std::chrono::milliseconds(1);
  EXPECT_FALSE(open({{"from", {"file:/dev/null"}}}, defaults).has_ticker());
}

TEST_F(SourcesTest, EndsAtOnceWhenThereIsNone) {
  open({}).resume();
  ASSERT_TRUE(run_to_end());
}

TEST_F(SourcesTest, RefusesUnknownSourcesAndATickOfNothing) {
  EXPECT_THROW(open({{"from", {"mars"}}}), UsageError);
  EXPECT_THROW(open({{"every", {"0s"}}}), UsageError);
  EXPECT_THROW(open({{"every", {"1s"}}, {"message", {"{nope}"}}}), UsageError);
}

}  // namespace
}  // namespace netkit
