#include "record/stream_sinks.hpp"
#include "support/record_builder.hpp"

#include <chrono>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>
#include <netkit/util/file.hpp>

namespace netkit {
namespace {

using test::RecordBuilder;

constexpr std::size_t kPipe = 4096;

// A sink at the writing end of a pipe of 4096 bytes; the test reads.
class StdoutSinkTest : public testing::Test {
 protected:
  StdoutSinkTest() {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) ADD_FAILURE() << "no pipe";
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
    EXPECT_EQ(::fcntl(writer_.get(), F_SETPIPE_SZ, kPipe), static_cast<int>(kPipe));
    make_sink(make_raw_formatter());
  }
  void make_sink(std::unique_ptr<Formatter> formatter) {
    sink_ = std::make_unique<StdoutSink>(
        std::move(formatter), false, StdoutWriter(writer_.get(), -1, clock_),
        StdoutSink::Callbacks{[this](ExitStatus, const std::string& error) { error_ = error; },
                              [this] { reader_gone_ = true; },
                              {},
                              {},
                              [this] { ++blocked_; }});
  }
  void say(const std::string& text) { sink_->take(RecordBuilder("x").payload(text).record()); }
  std::string read(std::size_t most = kPipe) {
    std::string bytes(most, 0);
    const ssize_t count = ::read(reader_.get(), bytes.data(), most);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }

  test::FakeClock clock_;
  FileDescriptor reader_;
  FileDescriptor writer_;
  std::string error_;
  bool reader_gone_ = false;
  int blocked_ = 0;
  std::unique_ptr<StdoutSink> sink_;
};

// The same at an end of a socket, as some programs make for those that they start.
class StdoutSocketTest : public StdoutSinkTest {
 protected:
  StdoutSocketTest() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) ADD_FAILURE();
    reader_.reset(ends[0]);
    writer_.reset(ends[1]);
    make_sink(make_raw_formatter());
  }
};

TEST_F(StdoutSocketTest, KeepsWhatTheReaderHasNoRoomFor) {
  const std::string said(1'000'000, 'a');
  say(said);
  sink_->flush();
  EXPECT_TRUE(sink_->is_blocked());
  std::string heard;
  while (heard.size() < said.size()) {
    heard += read(said.size());
    sink_->unblock();
  }
  EXPECT_EQ(heard, said);
}

TEST_F(StdoutSocketTest, HearsThatTheReaderHasGone) {
  reader_.reset();
  say("x");
  sink_->flush();
  EXPECT_TRUE(reader_gone_);
  EXPECT_EQ(error_, "");
}

TEST_F(StdoutSinkTest, WritesAtTheFlush) {
  say("one ");
  say("two");
  sink_->flush();
  EXPECT_EQ(read(), "one two");
  EXPECT_FALSE(sink_->is_blocked());
}

TEST_F(StdoutSinkTest, KeepsWhatTheReaderHasNoRoomFor) {
  say(std::string(kPipe, 'a') + "rest");
  sink_->flush();
  EXPECT_TRUE(sink_->is_blocked());
  EXPECT_EQ(blocked_, 1);
  EXPECT_EQ(read(), std::string(kPipe, 'a'));
  sink_->unblock();
  EXPECT_FALSE(sink_->is_blocked());
  EXPECT_EQ(read(), "rest");
}

TEST_F(StdoutSinkTest, KeepsTheOrderOfWhatComesMeanwhile) {
  std::string said;
  for (int i = 0; i < 3000; ++i) {
    const std::string line = std::to_string(i) + "\n";
    said += line;
    say(line);
    sink_->flush();
  }
  std::string heard;
  while (heard.size() < said.size()) {
    heard += read();
    sink_->unblock();
  }
  EXPECT_EQ(heard, said);
}

TEST_F(StdoutSinkTest, KeepsTheOrderOfLargeAndSmallTexts) {
  make_sink(make_text_formatter({}, false));
  std::string said;
  for (const std::size_t size : {1U, 20000U, 3U, 40000U, 16384U, 5U}) {
    say(std::string(size, 'a'));
    said += std::string(size, 'a') + "\n";
  }
  sink_->flush();
  std::string heard;
  while (heard.size() < said.size()) {
    heard += read(1000);
    sink_->unblock();
  }
  EXPECT_EQ(heard, said);
  EXPECT_FALSE(sink_->has_unwritten());
}

TEST_F(StdoutSinkTest, EscapesWhatIsLarge) {
  make_sink(make_text_formatter({}, false));
  const std::string said(20000, 'x');
  say(said + "\x1b");
  sink_->flush();
  std::string heard;
  while (heard.size() < said.size() + 5) {
    heard += read();
    sink_->unblock();
  }
  EXPECT_EQ(heard, said + "\\x1b\n");
}

TEST_F(StdoutSinkTest, WaitsForTheReaderAtTheEnd) {
  const std::string said(10 * kPipe, 'x');
  say(said);
  std::string heard;
  std::thread other([&] {
    while (heard.size() < said.size()) heard += read(1000);
  });
  sink_->flush_all();
  EXPECT_FALSE(sink_->has_unwritten());
  other.join();
  EXPECT_EQ(heard, said);
}

TEST_F(StdoutSinkTest, WaitsForTheReaderRatherThanKeepMoreThanAMebibyte) {
  const std::string part(1 << 16, 'x');
  std::size_t heard = 0;
  std::thread other([&] {
    while (heard < 40 * part.size()) heard += read(1 << 16).size();
  });
  for (int i = 0; i < 40; ++i) say(part);
  sink_->flush_all();
  other.join();
  EXPECT_EQ(heard, 40 * part.size());
}

TEST_F(StdoutSinkTest, LosesNothingAtTheEndWhileTheReaderTakesSome) {
  using std::chrono::seconds;
  const std::string said(4 * kPipe, 'x');
  sink_->set_patience(seconds(10));
  say(said);
  sink_->flush();
  clock_.advance(seconds(9));
  std::string heard = read();
  sink_->unblock();
  clock_.advance(seconds(9));  // more than 10 since the beginning, less since it took some
  std::thread other([&] {
    while (heard.size() < said.size()) {
      const std::string more = read();
      if (more.empty()) return;
      heard += more;
    }
  });
  sink_->flush_all();
  writer_.reset();
  sink_.reset();
  other.join();
  EXPECT_EQ(error_, "");
  EXPECT_EQ(heard.size(), said.size());
}

TEST_F(StdoutSinkTest, GivesUpAReaderWhoTakesNothing) {
  sink_->set_patience(std::chrono::seconds(10));
  say(std::string(2 * kPipe, 'x'));
  sink_->flush();
  clock_.advance(std::chrono::seconds(10));
  sink_->flush_all();
  EXPECT_EQ(error_,
            "cannot write to standard output: the reader has stalled; 4096 bytes were lost");
}

TEST_F(StdoutSinkTest, LearnsThatTheReaderHasGoneWhileItHadNoRoom) {
  say(std::string(2 * kPipe, 'a'));
  sink_->flush();
  reader_.reset();
  sink_->unblock();
  EXPECT_TRUE(reader_gone_);
  EXPECT_FALSE(sink_->is_blocked());
  EXPECT_EQ(error_, "");
}

}  // namespace
}  // namespace netkit
