#include <push/control_line.hpp>
#include <push/control_server.hpp>
#include <set>
#include <string>
#include <utility>

#include <netkit/codec/line_decoder.hpp>
#include <netkit/util/format.hpp>

namespace netkit::push {

namespace {

constexpr std::size_t kMaxNames = 4096;  // that one connection may hold

class ControlClient final : public TcpServer::Connection {
 public:
  ControlClient(Hub& hub, std::uint64_t id) : hub_(hub), id_(id) {}

 private:
  void on_received(std::string_view data) override { rest_.append(data.substr(obey(data))); }
  void on_drained() override {
    const std::string waiting = std::exchange(rest_, {});
    rest_ = waiting.substr(obey(waiting));
    if (ended_) finish();
  }
  void on_half_closed() override {
    ended_ = true;
    finish();
  }
  void on_gone(int, std::string_view) override {
    for (const std::string& name : names_) hub_.release(name, id_);
  }

  std::size_t obey(std::string_view lines);
  void finish();
  void take(const Line& line);
  void carry_out(const ControlLine& command);
  std::string_view subscribe(const ControlLine& command);
  std::string_view unsubscribe(const ControlLine& command);
  void answer_roster(bool with_numbers);

  Hub& hub_;
  std::uint64_t id_;
  LineDecoder lines_{kMaxControlLine};
  std::string rest_;  // waits for the answers before it to be read
  bool ended_ = false;
  std::set<std::string, std::less<>> names_;
  std::string answer_;
};

// A peer that asks without reading its answers is not answered more than it takes. Returns how many
// bytes were obeyed.
std::size_t ControlClient::obey(std::string_view lines) {
  if (backed_up()) return 0;
  return lines_.feed(lines, [this](const Line& line) {
    take(line);
    return !closing() && !backed_up();
  });
}

// With what a script that has no newline at its end asked last.
void ControlClient::finish() {
  if (!rest_.empty() || closing()) return;
  lines_.finish([this](const Line& line) { take(line); });
  close();
}

void ControlClient::take(const Line& line) {
  if (!line.too_long) return carry_out(parse_control(line.text));
  write("ERR a line has at most 512 bytes\n");
  close();
}

void ControlClient::carry_out(const ControlLine& command) {
  using Verb = ControlLine::Verb;
  std::string_view error = command.error;
  switch (command.verb) {
    case Verb::empty:
      return;
    case Verb::list:
    case Verb::status:
      return answer_roster(command.verb == Verb::status);
    case Verb::http:
      write("ERR this is the control channel of netkit push, not HTTP\n");
      return close();
    case Verb::subscribe:
      error = subscribe(command);
      break;
    case Verb::unsubscribe:
      error = unsubscribe(command);
      break;
    case Verb::quit:
    case Verb::wrong:
      break;
  }
  answer_ = error.empty() ? "OK\n" : "ERR " + std::string(error) + "\n";
  write(answer_);
  if (command.verb == Verb::quit) close();
}

std::string_view ControlClient::subscribe(const ControlLine& command) {
  if (names_.size() >= kMaxNames && !names_.contains(command.name)) {
    return "this connection holds too many names";
  }
  const std::string_view error =
      hub_.subscribe(command.name, peer().with_port(command.port), id_, server().loop().now());
  if (error.empty()) names_.emplace(command.name);
  return error;
}

std::string_view ControlClient::unsubscribe(const ControlLine& command) {
  const auto held = names_.find(command.name);
  if (held != names_.end()) names_.erase(held);
  return hub_.unsubscribe(command.name) ? "" : "no subscriber has that name";
}

void ControlClient::answer_roster(bool with_numbers) {
  answer_ = "OK ";
  append_unsigned(answer_, hub_.size());
  answer_ += '\n';
  hub_.for_each_row(server().loop().now(), [&](const RosterRow& row) {
    if (with_numbers) {
      append_status_row(answer_, row);
    } else {
      append_list_row(answer_, row);
    }
  });
  write(answer_);
}

}  // namespace

std::unique_ptr<TcpServer> make_control_server(EventLoop& loop, const Log& log,
                                               std::size_t max_clients, Hub& hub) {
  return std::make_unique<TcpServer>(
      loop, log,
      TcpServer::Options{.max_clients = max_clients, .tcp = {.no_delay = true, .keepalive = true}},
      [&hub, last_id = std::uint64_t{0}](const Endpoint&) mutable {
        return std::make_unique<ControlClient>(hub, ++last_id);
      });
}

}  // namespace netkit::push
