// A server that has been taken over: once it listens it tries what its standard input says, a line
// each, and prints what came of it: `exec PROGRAM`, `read FILE`, `write FILE`, `connect PORT`,
// `trace`, `setuid`.
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace prober {
namespace {

int opened(const std::string& path, int flags) {
  const netkit::FileDescriptor fd(::open(path.c_str(), flags | O_CLOEXEC, 0600));
  return fd ? 0 : errno;
}

// In a child, as it would take the place of this program.
int executed(const std::string& program) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
    ::_exit(errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

int connected(std::uint16_t port) {
  const netkit::FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int done = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return done == 0 ? 0 : errno;
}

int tried(std::string_view line) {
  const std::size_t blank = line.find(' ');
  const std::string_view what = line.substr(0, blank);
  const std::string object(blank == line.npos ? std::string_view() : line.substr(blank + 1));
  if (what == "exec") return executed(object);
  if (what == "read") return opened(object, O_RDONLY);
  if (what == "write") return opened(object, O_WRONLY | O_CREAT);
  if (what == "connect") return connected(netkit::read_integer<std::uint16_t>(object).value_or(0));
  if (what == "setuid") return ::setuid(::getuid()) == 0 ? 0 : errno;
  return ::ptrace(PTRACE_ATTACH, ::getppid(), nullptr, nullptr) == 0 ? 0 : errno;
}

class Serve final : public netkit::Command, private netkit::Input::Handler {
 public:
  void configure(const netkit::Values& /*values*/) override {}

  netkit::ExitStatus run(netkit::Host& host) override {
    host_ = &host;
    host.ready({"udp 127.0.0.1:1"});
    const auto input = netkit::Input::open(host, *this, {});
    return host.run_loop();
  }

 private:
  void on_input_line(std::string_view line) override {
    const int error = tried(line);
    const std::string text =
        std::string(line) + ": " + (error == 0 ? "done" : netkit::error_text(error));
    netkit::Record record;
    record.type = "try";
    record.payload = text;
    host_->output().emit(record);
  }
  void on_input_end() override { host_->finish(netkit::ExitStatus::done); }

  netkit::Host* host_ = nullptr;
};

std::vector<netkit::ActionDef> make_actions() {
  netkit::ActionDef serve;
  serve.name = "serve";
  serve.summary = "try what standard input says";
  serve.common = netkit::kOutputOptions | netkit::kServerOptions;
  serve.options = {{.name = "file", .kind = netkit::ValueKind::path, .help = "may be used"},
                   {.name = "peer", .kind = netkit::ValueKind::address, .help = "may be asked"}};
  serve.records = {{.type = "try", .help = "one a line"}};
  serve.make = netkit::new_command<Serve>;
  return {serve};
}

}  // namespace
}  // namespace prober

NETKIT_PLUGIN(prober, "tries what a server that was taken over would", prober::make_actions)
