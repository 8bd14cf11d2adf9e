#include <algorithm>
#include <cstdlib>
#include <hiredis/hiredis.h>
#include <redis/connection.hpp>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::redis {

Connection::Connection(EventLoop& loop, const Log& log, TcpClient::Options options, Login login,
                       Handler& handler)
    : loop_(loop),
      login_(std::move(login)),
      handler_(handler),
      client_(loop, log, std::move(options), *this) {}

Connection::~Connection() = default;

void Connection::on_connected(TcpClient&) {
  reader_ = std::make_unique<ReplyReader>();
  expected_.clear();
  if (login_.password.empty()) {
    ready_ = true;
    return handler_.on_ready(*this);
  }
  log_in();
}

void Connection::log_in() {
  std::vector<std::string_view> words{"AUTH"};
  if (!login_.user.empty()) words.push_back(login_.user);
  words.push_back(login_.password);
  send(words, [this](const Reply& reply) { on_login(reply); });
}

// A wrong password does not become right by trying again. Any other error comes from a server that
// has no room for clients at the moment.
void Connection::on_login(const Reply& reply) {
  if (reply.is_error() && reply.text().find("password") == std::string_view::npos) {
    return drop(escaped_text(reply.text()));
  }
  if (reply.is_error()) {
    const std::string why = fmt::format("{}: the store rejects the password ({})", server(),
                                        escaped_text(reply.text()));
    client_.stop();
    return handler_.on_gave_up(*this, ExitStatus::permission, why);
  }
  ready_ = true;
  handler_.on_ready(*this);
}

void Connection::send(std::span<const std::string_view> words, Callback callback,
                      Duration patience) {
  ByteStream* const stream = client_.stream();
  if (stream == nullptr) return;
  std::vector<const char*> begins(words.size());
  std::vector<std::size_t> sizes(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    begins[i] = words[i].data();
    sizes[i] = words[i].size();
  }
  char* bytes = nullptr;
  const auto size =
      redisFormatCommandArgv(&bytes, static_cast<int>(words.size()), begins.data(), sizes.data());
  if (size < 0) throw std::bad_alloc();
  stream->write(std::string_view(bytes, static_cast<std::size_t>(size)));
  std::free(bytes);
  expected_.push_back({std::move(callback), saturating_add(loop_.now(), patience)});
  if (expected_.size() == 1) watch_answers();
}

void Connection::run_script(const Script& how, std::span<const std::string_view> keys,
                            std::span<const std::string_view> arguments, Callback callback) {
  const std::string count = std::to_string(keys.size());
  std::vector<std::string_view> words{how.first, how.second, count};
  words.reserve(words.size() + keys.size() + arguments.size());
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  send(words, std::move(callback));
}

// Nothing else tells that a server, or the path to it, has stopped.
void Connection::watch_answers() {
  overdue_.reset();
  if (expected_.empty()) return;
  overdue_ = loop_.at(expected_.front().due, [this] { drop("the store does not answer"); });
}

// A long answer takes its time, and those behind it wait for its end.
void Connection::prolong() {
  if (!expected_.empty()) {
    TimePoint& due = expected_.front().due;
    due = std::max(due, saturating_add(loop_.now(), kPatience));
  }
  watch_answers();
}

void Connection::on_data(TcpClient&, std::string_view data) {
  prolong();
  ReplyReader* const reader = reader_.get();
  reader->feed(data);
  while (reader == reader_.get() && client_.stream() != nullptr) {
    const OwnReply reply = reader->next();
    if (reply) {
      take(reply.get());
    } else if (reader->trouble() == ReplyReader::Trouble::none) {
      return;
    } else {
      return drop(has_outgrown() ? "an answer is larger than 64M" : "the server is not Redis");
    }
  }
}

void Connection::take(const redisReply* reply) {
  if (expected_.empty()) return drop("the server is not Redis");
  const Callback callback = std::move(expected_.front().callback);
  expected_.pop_front();
  prolong();
  if (callback) callback(Reply(reply));
}

bool Connection::has_outgrown() const {
  return reader_ && reader_->trouble() == ReplyReader::Trouble::too_large;
}

void Connection::drop(std::string_view why) {
  client_.drop(why, ExitStatus::unreachable);
}

std::string Connection::on_lost(TcpClient&) {
  expected_.clear();
  overdue_.reset();
  if (std::exchange(ready_, false)) handler_.on_lost(*this);
  return {};
}

void Connection::on_gave_up(TcpClient&, ExitStatus status, const std::string& error) {
  handler_.on_gave_up(*this, status, error);
}

}  // namespace netkit::redis
