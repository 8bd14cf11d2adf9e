#include "support/udp_fixture.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <set>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <netkit/net/server_sockets.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

ServerSockets Open(std::string_view address,
                   const ServerSocketOptions& options = {.udp = true, .tcp = true}) {
  return open_server_sockets(AddressSpec::parse(address, AddressRole::server), options);
}

std::uint16_t PortOf(const std::string& description) {
  return static_cast<std::uint16_t>(std::stoi(description.substr(description.rfind(':') + 1)));
}

void ExpectRefused(std::string_view address, const ServerSocketOptions& options, int number,
                   ExitStatus status) {
  try {
    Open(address, options);
    ADD_FAILURE() << "bound";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), number);
    EXPECT_EQ(error.status(), status);
  }
}

TEST(ServerSocketsTest, TakeOneFreePortForAll) {
  const auto lines = Open("127.0.0.1:0").descriptions();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].substr(0, 14), "udp 127.0.0.1:");
  EXPECT_EQ(lines[1].substr(0, 14), "tcp 127.0.0.1:");
  EXPECT_NE(PortOf(lines[0]), 0);
  EXPECT_EQ(PortOf(lines[0]), PortOf(lines[1]));
}

TEST(ServerSocketsTest, BindEveryInterfaceByTwoSocketsEach) {
  const auto lines = Open(":0").descriptions();
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].substr(0, 12), "udp 0.0.0.0:");
  EXPECT_EQ(lines[1].substr(0, 9), "udp [::]:");
  EXPECT_EQ(lines[2].substr(0, 12), "tcp 0.0.0.0:");
  EXPECT_EQ(lines[3].substr(0, 9), "tcp [::]:");
  std::set<std::uint16_t> ports;
  for (const std::string& line : lines) ports.insert(PortOf(line));
  EXPECT_EQ(ports.size(), 1u);
}

TEST(ServerSocketsTest, BindWhatIsAskedForOnly) {
  EXPECT_EQ(Open("0", {.udp = true}).descriptions().size(), 1u);
  EXPECT_TRUE(Open("0", {.udp = true}).tcp.empty());
  EXPECT_TRUE(Open("0", {.tcp = true}).udp.empty());
}

TEST(ServerSocketsTest, SayThatTheAddressIsInUse) {
  const ServerSockets first = Open("127.0.0.1:0");
  const std::string address = first.udp[0].local().to_string();
  for (const auto& [options, kind] : {std::pair{ServerSocketOptions{.udp = true}, "udp "},
                                      std::pair{ServerSocketOptions{.tcp = true}, "tcp "}}) {
    try {
      Open(address, options);
      FAIL() << kind;
    } catch (const SystemError& error) {
      EXPECT_EQ(error.what(), "cannot bind " + (kind + address) + ": address already in use");
      EXPECT_EQ(error.status(), ExitStatus::unreachable);
    }
  }
}

// A link-local address without its interface, which the kernel calls an invalid argument.
TEST(ServerSocketsTest, SayTheSameOfAnAddressThatNoSocketCanHave) {
  for (const ServerSocketOptions& options :
       {ServerSocketOptions{.udp = true}, ServerSocketOptions{.tcp = true}}) {
    ExpectRefused("[fe80::1]:0", options, EINVAL, ExitStatus::unreachable);
  }
}

TEST(ServerSocketsTest, SayThatDescriptorsAreUsedUp) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const FileDescriptor highest(::dup(STDERR_FILENO));
  const rlimit tight{static_cast<rlim_t>(highest.get()) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (const ServerSocketOptions& options :
       {ServerSocketOptions{.udp = true}, ServerSocketOptions{.tcp = true}}) {
    ExpectRefused("127.0.0.1:0", options, EMFILE, ExitStatus::fault);
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(ServerSocketsTest, ShareTheirPortWithFurtherLoops) {
  ServerSocketOptions options{.udp = true, .tcp = true, .reuse_port = true};
  const ServerSockets first = Open("127.0.0.1:0", options);
  options.further = true;
  EXPECT_NO_THROW(Open(first.udp[0].local().to_string(), options));
}

TEST(ServerSocketsTest, ShareTheirPortWithNoOtherServer) {
  for (const bool udp : {true, false}) {
    const ServerSocketOptions options{.udp = udp, .tcp = !udp, .reuse_port = true};
    const ServerSockets first = Open("127.0.0.1:0", options);
    const Endpoint local = udp ? first.udp[0].local() : local_endpoint(first.tcp[0].get());
    ExpectRefused(local.to_string(), options, EADDRINUSE, ExitStatus::unreachable);
  }
}

TEST(ServerSocketsTest, BindEveryAddressOfAName) {
  std::set<std::uint16_t> ports;
  const auto lines = Open("localhost:0").descriptions();
  for (const std::string& line : lines) ports.insert(PortOf(line));
  EXPECT_GE(lines.size(), 2u);
  EXPECT_EQ(ports.size(), 1u);
}

TEST(ServerSocketsTest, RefuseANameThatIsNone) {
  try {
    Open("no-such-host.invalid:0");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::name);
  }
}

TEST(ServerSocketsTest, RefuseAnAddressThatIsNotOurs) {
  EXPECT_THROW(Open("192.0.2.1:0"), SystemError);
}

// Runs `body` in a child whose descriptors from 3 on are `fds`, as systemd starts a service.
template <typename Body>
bool WithPassedSockets(std::vector<int> fds, Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (int& fd : fds) fd = ::fcntl(fd, F_DUPFD, 100);
    for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(fds[i], 3 + static_cast<int>(i));
    ::setenv("LISTEN_FDS", std::to_string(fds.size()).c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    body();
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(PassedSocketsTest, AreUsedWhereTheirKindFits) {
  const ServerSockets ours = Open("127.0.0.1:0");
  const auto expected = ours.descriptions();
  EXPECT_TRUE(WithPassedSockets({ours.tcp[0].get(), ours.udp[0].fd()}, [&] {
    const ServerSockets taken = Open("127.0.0.1:1");
    EXPECT_EQ(taken.descriptions(), expected);
    EXPECT_TRUE(::fcntl(taken.tcp[0].get(), F_GETFD) & FD_CLOEXEC);
    EXPECT_TRUE(::fcntl(taken.udp[0].fd(), F_GETFD) & FD_CLOEXEC);
    EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr);
    EXPECT_EQ(::getenv("LISTEN_PID"), nullptr);
  }));
}

TEST(PassedSocketsTest, AreCompletedByOwnOnes) {
  const ServerSockets ours = Open("127.0.0.1:0", {.udp = true});
  EXPECT_TRUE(WithPassedSockets({ours.udp[0].fd()}, [&] {
    const ServerSockets taken = Open("127.0.0.1:0");
    EXPECT_EQ(taken.udp[0].local(), ours.udp[0].local());
    EXPECT_EQ(taken.tcp.size(), 1u);
  }));
}

TEST(PassedSocketsTest, AreNotTheDescriptorsThatThisProcessHasOpened) {
  const ServerSockets ours = Open("127.0.0.1:0", {.udp = true});
  EXPECT_TRUE(WithPassedSockets({ours.udp[0].fd()}, [&] {
    const int own = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ::setenv("LISTEN_FDS", std::to_string(own).c_str(), 1);
    const ServerSockets taken = Open("127.0.0.1:0", {.udp = true});
    EXPECT_EQ(taken.udp.size(), 1u);
    EXPECT_GE(::fcntl(own, F_GETFD), 0) << "it is still open";
  }));
}

TEST(PassedSocketsTest, AreForOneLoop) {
  const ServerSockets ours = Open("127.0.0.1:0", {.udp = true});
  EXPECT_TRUE(WithPassedSockets({ours.udp[0].fd()}, [&] {
    EXPECT_THROW(Open("127.0.0.1:0", {.udp = true, .reuse_port = true}), UsageError);
  }));
}

TEST(PassedSocketsTest, AreLeftToTheProcessThatTheyAreFor) {
  const ServerSockets ours = Open("127.0.0.1:0", {.udp = true});
  EXPECT_TRUE(WithPassedSockets({ours.udp[0].fd()}, [&] {
    ::setenv("LISTEN_PID", "1", 1);
    EXPECT_NE(Open("127.0.0.1:0", {.udp = true}).udp[0].local(), ours.udp[0].local());
  }));
}

}  // namespace
}  // namespace netkit
