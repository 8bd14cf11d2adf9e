#include "host_fixture.hpp"

#include <csignal>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace netkit {
namespace {

using test::ChildRun;
using test::count_three;
using test::emit;
using test::host_main;
using test::host_values;
using test::HostSetup;
using test::run_host;
using test::test_action;

ExitStatus say_hello(Host& host) {
  host.set_totals(count_three);
  emit(host, "hello");
  host.finish(ExitStatus::done);
  return host.run_loop();
}

ExitStatus serve(Host& host) {
  host.set_totals(count_three);
  host.ready({"udp 127.0.0.1:9000", "tcp 127.0.0.1:9000"});
  return host.run_loop();
}

TEST(Host, IsSilentOnStderrInASuccessfulPipeline) {
  ChildRun run = run_host(say_hello);
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "hello\n");
  EXPECT_EQ(run.errors, "");
}

TEST(Host, EndsJsonWithTheTotals) {
  ChildRun run = run_host(say_hello, {{{"json", "1"}}});
  EXPECT_EQ(run.finish(), 0);
  EXPECT_TRUE(run.output.ends_with(
      "\"text\":\"hello\"}\n{\"type\":\"end\",\"ok\":true,\"received\":3,\"loss\":0.25}\n"))
      << run.output;
}

TEST(Host, SaysTotalsWithVerboseAndStats) {
  for (const HostSetup& setup :
       {HostSetup{{{"verbose", "1"}}}, HostSetup{{{"verbose", "9223372036854775807"}}},
        HostSetup{{{"stats", ""}}}, HostSetup{{{"stats", ""}, {"quiet", "1"}}}}) {
    ChildRun run = run_host(say_hello, setup);
    EXPECT_EQ(run.finish(), 0);
    EXPECT_EQ(run.errors, "netkit: echo: received 3, loss 0.25\n");
  }
}

TEST(Host, RepeatsTotalsWithAPeriod) {
  ChildRun run = run_host(serve, {{{"stats", "10ms"}}});
  EXPECT_TRUE(
      run.wait_for_stderr("loss 0.25\nnetkit: echo: received 3, received per s 0, loss 0.25\n"));
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 143);
}

TEST(Host, RepeatsTotalsInJsonAsRecords) {
  ChildRun run = run_host(serve, {{{"stats", "10ms"}, {"json", "1"}}});
  EXPECT_TRUE(run.wait_for_stdout("{\"type\":\"stats\",\"time\":\""));
  EXPECT_TRUE(run.wait_for_stdout("Z\",\"received\":3,\"received_per_s\":0,\"loss\":0.25}\n"));
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 143);
}

TEST(Host, SaysWhatWentWrongInBothPlaces) {
  const auto fail = [](Host& host) {
    host.finish(ExitStatus::again, "the room is full");
    host.finish(ExitStatus::done, "too late");
    return host.run_loop();
  };
  ChildRun run = run_host(fail, {{{"json", "1"}}});
  EXPECT_EQ(run.finish(), 75);
  EXPECT_EQ(run.errors, "netkit: echo: the room is full\n");
  EXPECT_EQ(run.output, "{\"type\":\"end\",\"ok\":false,\"error\":\"the room is full\"}\n");
}

TEST(Host, SaysWhatRunThrewInBothPlaces) {
  const auto fail = [](Host& host) -> ExitStatus {
    int local = 3;
    host.set_totals([&](Totals& totals) { totals.add("x", static_cast<std::uint64_t>(local)); });
    throw Error(ExitStatus::name, "cannot resolve 'x'");
  };
  ChildRun run = run_host(fail, {{{"json", "1"}}});
  EXPECT_EQ(run.finish(), 68);
  EXPECT_EQ(run.errors, "netkit: echo: cannot resolve 'x'\n");
  EXPECT_EQ(run.output, "{\"type\":\"end\",\"ok\":false,\"error\":\"cannot resolve 'x'\"}\n");
}

TEST(Host, ExplainsAStatusThatHasNoSentence) {
  const auto miss = [](Host& host) {
    host.finish(ExitStatus::no);
    return host.run_loop();
  };
  ChildRun run = run_host(miss, {{{"json", "1"}}});
  EXPECT_EQ(run.finish(), 1);
  EXPECT_TRUE(run.output.starts_with("{\"type\":\"end\",\"ok\":false,\"error\":\"")) << run.output;
  EXPECT_EQ(run.errors, "");
}

TEST(Host, NeedsNoLoop) {
  ChildRun run = run_host([](Host& host) {
    emit(host, "x");
    return ExitStatus::no;
  });
  EXPECT_EQ(run.finish(), 1);
  EXPECT_EQ(run.output, "x\n");
}

TEST(Host, SaysWhereItListens) {
  ChildRun run = run_host(serve, {.lifetime = Lifetime::until_told});
  ASSERT_TRUE(
      run.wait_for_stderr("netkit: echo: listening on udp 127.0.0.1:9000\n"
                          "netkit: echo: listening on tcp 127.0.0.1:9000\n"));
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 0);
  EXPECT_TRUE(run.errors.ends_with("netkit: echo: received 3, loss 0.25\n"));
}

TEST(Host, WritesTheReadyLinesToADescriptorAndClosesIt) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const std::string fd = std::to_string(pipe[1]);
  const auto body = [&](Host& host) {
    host.ready({"udp [::]:9000", "tcp [::]:9000"});
    host.finish(::fcntl(pipe[1], F_GETFD) < 0 ? ExitStatus::done : ExitStatus::fault);
    return host.run_loop();
  };
  ChildRun run = run_host(body, {{{"ready-fd", fd}, {"quiet", "1"}}});
  EXPECT_EQ(run.finish(), 0);
  char lines[200] = {};
  ASSERT_GT(::read(pipe[0], lines, sizeof lines), 0);
  EXPECT_EQ(run.errors, lines);  // on stderr too, -q or not
  EXPECT_STREQ(lines,
               "netkit: echo: listening on udp [::]:9000\n"
               "netkit: echo: listening on tcp [::]:9000\n");
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(Host, RefusesAReadyDescriptorThatIsNotOpen) {
  const auto values = test::host_values({{"ready-fd", "200"}});
  const auto action = test::test_action();
  const SystemClock clock;
  EXPECT_THROW(HostImpl("echo", action, values, clock), UsageError);
}

TEST(Host, StopsAServerWithZeroAndABoundedJobWithTheSignal) {
  for (const int signo : {SIGINT, SIGTERM}) {
    ChildRun server = run_host(serve, {{{"json", "1"}}, {}, Lifetime::until_told});
    ASSERT_TRUE(server.wait_for_stderr("tcp 127.0.0.1:9000\n"));
    server.signal(signo);
    EXPECT_EQ(server.finish(), 0);
    EXPECT_NE(server.output.find("\"ok\":true"), std::string::npos);
    ChildRun job = run_host(serve, {{{"json", "1"}}});
    ASSERT_TRUE(job.wait_for_stderr("tcp 127.0.0.1:9000\n"));
    job.signal(signo);
    EXPECT_EQ(job.finish(), 128 + signo);
    EXPECT_NE(job.output.find(signo == SIGINT ? "\"error\":\"ended by signal INT\""
                                              : "\"error\":\"ended by signal TERM\""),
              std::string::npos);
  }
}

TEST(Host, LetsAFlagMakeAnActionLastUntilTold) {
  ChildRun run = run_host(serve, {{{"keep-open", "1"}}});
  ASSERT_TRUE(run.wait_for_stderr("tcp 127.0.0.1:9000\n"));
  run.signal(SIGINT);
  EXPECT_EQ(run.finish(), 0);
}

TEST(Host, GivesTheActionTimeToTakeItsLeave) {
  const auto body = [](Host& host) {
    Timer timer;
    host.on_stop([&](StopReason reason) {
      emit(host, reason == StopReason::signal ? "signal" : "timeout");
      timer = host.loop().after(std::chrono::milliseconds(20), [&] {
        emit(host, "bye");
        host.finish(ExitStatus::done);
      });
    });
    host.ready({"udp x"});
    return host.run_loop();
  };
  ChildRun run = run_host(body, {.lifetime = Lifetime::until_told});
  ASSERT_TRUE(run.wait_for_stderr("listening"));
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "signal\nbye\n");
}

TEST(Host, EndsAtOnceWithTheSecondSignal) {
  const auto stubborn = [](Host& host) {
    host.on_stop([&](StopReason) { host.log().notice("stopping"); });
    host.ready({"udp x"});
    return host.run_loop();
  };
  ChildRun run = run_host(stubborn, {.lifetime = Lifetime::until_told});
  ASSERT_TRUE(run.wait_for_stderr("listening"));
  run.signal(SIGTERM);
  ASSERT_TRUE(run.wait_for_stderr("stopping"));
  run.signal(SIGINT);
  EXPECT_EQ(run.finish(), 130);
}

TEST(Host, EndsAtOnceWithTheSecondSignalAlsoWhileTheLoopIsBusy) {
  ChildRun run = run_host([](Host& host) {
    host.set_totals(count_three);
    host.ready({"udp x"});
    const Timer busy = host.loop().after(Duration::zero(), [&host] {
      host.log().notice("busy");
      for (volatile bool forever = true; forever;) {
      }
    });
    return host.run_loop();
  });
  ASSERT_TRUE(run.wait_for_stderr("busy"));
  run.signal(SIGTERM);
  for (int tries = 0; tries < 1000 && !run.ends_within(10); ++tries) run.signal(SIGINT);
  EXPECT_EQ(run.finish(), 130);
}

TEST(Host, EndsTheRunWhenTimeIsOver) {
  ChildRun run = run_host(serve, {{{"timeout", "20ms"}, {"json", "1"}}, {}, Lifetime::until_told});
  EXPECT_EQ(run.finish(), 124);
  EXPECT_NE(run.errors.find("netkit: echo: --timeout: 20ms passed\n"), std::string::npos);
  EXPECT_NE(run.output.find("\"ok\":false,\"error\":\"--timeout: 20ms passed\""),
            std::string::npos);
}

TEST(Host, SaysWhyItEndsAlsoWhereTheWorkWasDoneInTheSameTurn) {
  ChildRun run = run_host(
      [](Host& host) {
        const Timer done =
            host.loop().at(TimePoint::min(), [&host] { host.finish(ExitStatus::done); });
        return host.run_loop();
      },
      {{{"timeout", "0"}, {"json", "1"}}});
  EXPECT_EQ(run.finish(), 124);
  EXPECT_EQ(run.errors, "netkit: echo: --timeout: 0s passed\n");
  EXPECT_NE(run.output.find("\"error\":\"--timeout: 0s passed\""), std::string::npos);
}

TEST(Host, ShowsInterimTotalsForUsr1) {
  ChildRun run = run_host(serve, {.lifetime = Lifetime::until_told});
  ASSERT_TRUE(run.wait_for_stderr("tcp 127.0.0.1:9000\n"));
  run.signal(SIGUSR1);
  EXPECT_TRUE(run.wait_for_stderr("received 3, loss 0.25\n"));
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 0);
}

TEST(Host, KeepsErrorsAndReadyLinesWhenQuiet) {
  const auto body = [](Host& host) {
    host.ready({"udp x"});
    emit(host, "hidden");
    host.log().error("shown");
    host.finish(ExitStatus::done);
    return host.run_loop();
  };
  ChildRun run = run_host(body, {{{"quiet", "1"}}, {}, Lifetime::until_told});
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "");
  EXPECT_EQ(run.errors, "netkit: echo: listening on udp x\nnetkit: echo: shown\n");
  ChildRun job = run_host(body, {{{"quiet", "1"}}});
  EXPECT_EQ(job.finish(), 0);
  EXPECT_EQ(job.output, "hidden\n");
}

TEST(Host, LeavesATemplateOfTheActionsOwnToTheAction) {
  ActionDef action = test_action();
  action.options = {{.name = "template", .kind = ValueKind::template_text}};
  ChildRun run([&] {
    return host_main(action, host_values({{"template", "for peers: {text}"}}), [](Host& host) {
      emit(host, "as it is");
      host.finish(ExitStatus::done);
      return host.run_loop();
    });
  });
  EXPECT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output, "as it is\n");
}

ExitStatus flood(Host& host) {
  Timer timer = host.loop().every(std::chrono::milliseconds(1), [&] {
    for (int i = 0; i < 100; ++i) emit(host, std::string(1000, 'x'));
  });
  host.ready({"udp x"});
  return host.run_loop();
}

TEST(Host, EndsAsSigpipeWouldWhenTheReaderHasGone) {
  ChildRun run = run_host(flood, {{{"json", "1"}}});
  ASSERT_TRUE(run.wait_for_stdout("xxx"));
  run.close_stdout();
  EXPECT_EQ(run.finish(), 128 + SIGPIPE);
  EXPECT_EQ(run.errors, "netkit: echo: listening on udp x\n");
}

TEST(Host, HearsASignalWhileNobodyReadsItsOutput) {
  ChildRun run = run_host(flood);
  ASSERT_TRUE(run.wait_for_stdout("xxx"));
  ASSERT_TRUE(run.wait_for_full_stdout());
  run.signal(SIGINT);
  EXPECT_EQ(run.finish(), 130);
}

TEST(Host, SaysThatTheDiskIsFull) {
  ChildRun run([] {
    const FileDescriptor full(::open("/dev/full", O_WRONLY));
    ::dup2(full.get(), STDOUT_FILENO);
    return test::host_main(test::test_action(), test::host_values({}), say_hello);
  });
  EXPECT_EQ(run.finish(), 74);
  EXPECT_EQ(run.errors, "netkit: echo: cannot write to standard output: no space left on device\n");
}

TEST(Host, SaysThatStdoutIsClosed) {
  ChildRun run([] {
    ::close(STDOUT_FILENO);
    return test::host_main(test::test_action(), test::host_values({}), say_hello);
  });
  EXPECT_EQ(run.finish(), 74);
  EXPECT_EQ(run.errors, "netkit: echo: cannot write to standard output: bad file descriptor\n");
}

TEST(Host, WritesBigOutputWhole) {
  ChildRun run = run_host([](Host& host) {
    for (int i = 0; i < 1000; ++i) emit(host, std::string(999, 'x'));
    return ExitStatus::done;
  });
  ASSERT_EQ(run.finish(), 0);
  EXPECT_EQ(run.output.size(), 1'000'000U);
}

TEST(Host, TellsSystemd) {
  const std::string name = "netkit-notify-" + std::to_string(::getpid());
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  const auto receive = [&] {
    pollfd wait{socket.get(), POLLIN, 0};
    char buffer[256];
    if (::poll(&wait, 1, 10'000) != 1) return std::string("nothing");
    const ssize_t count = ::recv(socket.get(), buffer, sizeof buffer, 0);
    return std::string(buffer, static_cast<std::size_t>(count));
  };
  ChildRun run([&] {
    ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    return test::host_main(test::test_action(Lifetime::until_told), test::host_values({}), serve);
  });
  EXPECT_EQ(receive(), "READY=1\nSTATUS=listening on udp 127.0.0.1:9000, tcp 127.0.0.1:9000");
  run.signal(SIGTERM);
  EXPECT_EQ(receive(), "STOPPING=1");
  EXPECT_EQ(run.finish(), 0);
}

TEST(Host, HearsSignalsThatAnEarlierThreadCatches) {
  ChildRun run = run_host(
      [](Host& host) {
        // Made before the loop has the signals, so it has them unblocked.
        const std::jthread other([](const std::stop_token& stop) {
          while (!stop.stop_requested()) ::poll(nullptr, 0, 1);
        });
        host.ready({"udp x"});
        return host.run_loop();
      },
      {.lifetime = Lifetime::until_told});
  ASSERT_TRUE(run.wait_for_stderr("listening"));
  run.signal(SIGUSR1);
  run.signal(SIGTERM);
  EXPECT_EQ(run.finish(), 0);
}

TEST(Host, CanBeInterruptedBeforeItsLoopRuns) {
  ChildRun run = run_host([](Host& host) {
    host.log().notice("resolving");
    ::pause();
    return ExitStatus::done;
  });
  ASSERT_TRUE(run.wait_for_stderr("resolving"));
  run.signal(SIGINT);
  EXPECT_EQ(run.finish(), 130);
}

TEST(Host, KeepsTheFirstSignalForTheLoopOnceThereAreTotals) {
  for (const int signals : {1, 2}) {
    ChildRun run = run_host(
        [signals](Host& host) {
          host.set_totals(count_three);
          for (int i = 0; i < signals; ++i) ::raise(SIGINT);
          return host.run_loop();
        },
        {.options = {{"json", "1"}}});
    EXPECT_EQ(run.finish(), 130);
    EXPECT_EQ(run.output.empty(), signals == 2) << run.output;
  }
}

}  // namespace
}  // namespace netkit
