#include "support/pty_run.hpp"
#include "support/temp_folder.hpp"
#include "unit/plugin/host_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include <netkit/io/input.hpp>

namespace netkit {
namespace {

using test::ChildRun;
using test::emit;
using test::PtyRun;

// Says what it reads; `quit` ends it, `say X` emits X later, `log X` logs it.
class Reader final : public Input::Handler {
 public:
  Reader(Host& host, std::string history) : host_(host) {
    Input::Options options;
    options.history = std::move(history);
    options.complete = [](std::string_view, std::string_view) {
      return std::vector<std::string>{"/nick", "/who"};
    };
    input_ = Input::open(host, *this, std::move(options));
  }

  void on_input_line(std::string_view line) override {
    emit(host_, "<" + std::string(line) + ">");
    if (line == "quit") host_.finish(ExitStatus::no);
    if (line == "crash") std::abort();
    if (line == "leave") input_.reset();
    if (line == "pause") {
      input_->pause();
      timer_ = host_.loop().after(std::chrono::milliseconds(5), [this] {
        emit(host_, "resumed");
        input_->resume();
      });
    }
    if (line == "later") {
      timer_ = host_.loop().after(std::chrono::milliseconds(5), [this] {
        emit(host_, "incoming");
        host_.log().notice("logged");
        input_->set_prompt("new> ");
      });
    }
  }
  void on_input_end() override {
    emit(host_, "end");
    host_.finish(ExitStatus::done);
  }

 private:
  Host& host_;
  std::unique_ptr<Input> input_;
  Timer timer_;
};

ExitStatus read_lines(Host& host) {
  const Reader reader(host, "test");
  return host.run_loop();
}

TEST(PlainInput, GivesLinesAndTheEnd) {
  ChildRun run = test::run_host(read_lines);
  run.type("a\nb\r\n\nc");
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "<a>\n<b>\n<>\n<c>\nend\n");
}

TEST(PlainInput, PausesInTheMiddleOfABatch) {
  ChildRun run = test::run_host(read_lines);
  run.type("a\npause\nb\n");
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "<a>\n<pause>\nresumed\n<b>\nend\n");
}

TEST(PlainInput, MayBeDestroyedInItsCallback) {
  ChildRun run = test::run_host(read_lines);
  run.type("leave\nb\n");
  ASSERT_TRUE(run.wait_for_stdout("<leave>"));
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 143);
  EXPECT_EQ(run.output, "<leave>\n");
}

TEST(PlainInput, RefusesALineThatIsTooLong) {
  ChildRun run = test::run_host(read_lines, {{{"max-line", "4"}}});
  run.type("1234\n12345\n");
  EXPECT_EQ(run.finish(), 76);
  EXPECT_EQ(run.output, "<1234>\n");
  EXPECT_EQ(run.errors, "netkit: echo: a line of standard input is longer than 4 (--max-line)\n");
}

TEST(PlainInput, NamesNoOptionThatTheActionHasNot) {
  ChildRun run = test::run_host(read_lines);
  run.type(std::string((1 << 20) + 1, 'x') + "\n");
  EXPECT_EQ(run.finish(), 76);
  EXPECT_EQ(run.errors, "netkit: echo: a line of standard input is longer than 1M\n");
}

TEST(PlainInput, ReadsAFileAsWell) {
  const test::TempFolder folder;
  const std::string path = folder.write("in", "x\ny\n");
  ChildRun run([&] {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY));
    ::dup2(file.get(), STDIN_FILENO);
    return test::host_main(test::test_action(), test::host_values({}), read_lines);
  });
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "<x>\n<y>\nend\n");
}

TEST(PlainInput, SaysThatStdinIsClosed) {
  ChildRun run([] {
    ::close(STDIN_FILENO);
    return test::host_main(test::test_action(), test::host_values({}), read_lines);
  });
  EXPECT_EQ(run.finish(), 74);
  EXPECT_NE(run.errors.find("cannot read standard input: bad file descriptor"), std::string::npos);
}

class PromptTest : public testing::Test {
 protected:
  ~PromptTest() override { ::unsetenv("XDG_STATE_HOME"); }

  static int body(Lifetime lifetime) {
    return test::host_main(test::test_action(lifetime), test::host_values({}), read_lines);
  }
  test::TempFolder folder_;
  const int has_state_ = ::setenv("XDG_STATE_HOME", (folder_ / "state").c_str(), 1);
  PtyRun run_{[] { return body(Lifetime::until_told); }};
};

TEST_F(PromptTest, TakesLinesUntilCtrlD) {
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("hello\r");
  ASSERT_TRUE(run_.wait_for("<hello>\r\n"));
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("\x04");
  ASSERT_TRUE(run_.wait_for("end\r\n"));
  EXPECT_EQ(run_.finish(), 0);
  EXPECT_TRUE(run_.is_restored());
}

TEST_F(PromptTest, PrintsWhatComesAboveTheLineThatIsTyped) {
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("later\rhalf a li");
  ASSERT_TRUE(run_.wait_for("half a li"));
  ASSERT_TRUE(run_.wait_for("netkit: echo: logged\r\n"));  // records go out with the turn
  ASSERT_TRUE(run_.wait_for("> half a li"));
  ASSERT_TRUE(run_.wait_for("incoming\r\n"));
  ASSERT_TRUE(run_.wait_for("new> half a li"));
  run_.type("ne\r");
  ASSERT_TRUE(run_.wait_for("<half a line>\r\n"));
}

TEST_F(PromptTest, ClearsTheLineWithCtrlCAndEndsAtAnEmptyOne) {
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("never sent");
  ASSERT_TRUE(run_.wait_for("never sent"));
  run_.type("\x03");
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("sent\r");
  ASSERT_TRUE(run_.wait_for("<sent>\r\n"));
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("\x03");
  EXPECT_EQ(run_.finish(), 0);
  EXPECT_TRUE(run_.is_restored());
}

TEST_F(PromptTest, Completes) {
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("/w\tann\r");
  ASSERT_TRUE(run_.wait_for("</who ann>\r\n"));
}

TEST_F(PromptTest, KeepsHistoryButNotWhatBeginsWithABlank) {
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("first\r secret\r");
  ASSERT_TRUE(run_.wait_for("< secret>"));
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("\x1b[A\r");
  ASSERT_TRUE(run_.wait_for("<first>"));
  run_.type("quit\r");
  EXPECT_EQ(run_.finish(), 1);
  EXPECT_EQ(folder_.read("state/netkit/test"), "first\nquit\n");
  PtyRun again([] { return body(Lifetime::until_told); });
  ASSERT_TRUE(again.wait_for("> "));
  again.type("\x1b[A\x1b[A\r");
  EXPECT_TRUE(again.wait_for("<first>"));
}

TEST_F(PromptTest, PausesAndGoesOn) {
  ASSERT_TRUE(run_.wait_for("> "));
  run_.type("pause\rb\r");
  ASSERT_TRUE(run_.wait_for("resumed\r\n"));
  ASSERT_TRUE(run_.wait_for("<b>\r\n"));
}

TEST_F(PromptTest, RestoresTheTerminalOnEveryWayOut) {
  for (const int signo : {SIGTERM, SIGQUIT, SIGHUP}) {
    PtyRun run([] { return body(Lifetime::until_told); });
    ASSERT_TRUE(run.wait_for("> "));
    EXPECT_FALSE(run.is_restored());
    run.signal(signo);
    EXPECT_EQ(run.finish(), signo == SIGTERM ? 0 : 128 + signo);
    EXPECT_TRUE(run.is_restored()) << signo;
  }
  for (const char* line : {"quit\r", "crash\r", "leave\r"}) {
    PtyRun run([] { return body(Lifetime::until_told); });
    ASSERT_TRUE(run.wait_for("> "));
    run.type(line);
    if (line[0] == 'l') {
      ASSERT_TRUE(run.wait_for("<leave>"));
      run.signal(SIGTERM);
    }
    run.finish();
    EXPECT_TRUE(run.is_restored()) << line;
  }
}

TEST_F(PromptTest, IsNotUsedForJson) {
  PtyRun run([] {
    return test::host_main(test::test_action(), test::host_values({{"json", "1"}}), read_lines);
  });
  run.type("x\n");
  ASSERT_TRUE(run.wait_for("\"text\":\"<x>\""));
  run.type("quit\n");
  EXPECT_EQ(run.finish(), 1);
  EXPECT_EQ(run.screen.find("> "), std::string::npos);
}

}  // namespace
}  // namespace netkit
