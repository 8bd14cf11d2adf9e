#include <hiredis/hiredis.h>
#include <new>
#include <redis/reply.hpp>

#include <netkit/util/text.hpp>

namespace netkit::redis {

bool Reply::is_error() const {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ERROR;
}

bool Reply::is_null() const {
  return reply_ == nullptr || reply_->type == REDIS_REPLY_NIL;
}

std::string_view Reply::text() const {
  if (reply_ == nullptr || reply_->str == nullptr) return {};
  return {reply_->str, reply_->len};
}

std::int64_t Reply::integer() const {
  if (reply_ != nullptr && reply_->type == REDIS_REPLY_INTEGER) return reply_->integer;
  return read_integer<std::int64_t>(text()).value_or(0);
}

std::size_t Reply::size() const {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ARRAY ? reply_->elements : 0;
}

Reply Reply::operator[](std::size_t i) const {
  return Reply(i < size() ? reply_->element[i] : nullptr);
}

void FreeReply::operator()(redisReply* reply) const {
  freeReplyObject(reply);
}

namespace {

constexpr std::size_t kMostElements = std::size_t{2} << 20U;
constexpr std::size_t kLongestLine = std::size_t{64} << 10U;  // of a status, an error, a length

}  // namespace

struct ReplyReader::Reader {
  Reader() : hiredis(redisReaderCreate(), &redisReaderFree) {
    if (!hiredis) throw std::bad_alloc();
    functions = *hiredis->fn;
    make_array = functions.createArray;
    functions.createArray = [](const redisReadTask* task, auto size) -> void* {
      Reader& self = *static_cast<Reader*>(task->privdata);
      self.elements += static_cast<std::size_t>(size);
      return self.elements <= kMostElements ? self.make_array(task, size) : nullptr;
    };
    hiredis->fn = &functions;
    hiredis->privdata = this;
  }
  // What it has not read yet.
  std::string_view rest() const {
    return {hiredis->buf + hiredis->pos, hiredis->len - hiredis->pos};
  }

  std::unique_ptr<redisReader, void (*)(redisReader*)> hiredis;
  redisReplyObjectFunctions functions{};
  decltype(redisReplyObjectFunctions::createArray) make_array = nullptr;
  std::size_t elements = 0;  // of the arrays in this answer
};

ReplyReader::ReplyReader() : reader_(std::make_unique<Reader>()) {}

ReplyReader::~ReplyReader() = default;

// hiredis makes a little more room each time, and copies what it has: a text is given to it whole.
void ReplyReader::feed(std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > kMostBytes) trouble_ = Trouble::too_large;
  if (trouble_ != Trouble::none) return;
  if (held_.size() + bytes.size() < lacking_) {
    held_ += bytes;
    return;
  }
  lacking_ = 0;
  if (!held_.empty()) {
    held_ += bytes;
    bytes = held_;
  }
  if (redisReaderFeed(reader_->hiredis.get(), bytes.data(), bytes.size()) != REDIS_OK) {
    trouble_ = Trouble::not_redis;
  }
  held_ = {};
}

OwnReply ReplyReader::next() {
  if (trouble_ != Trouble::none || lacking_ > 0) return nullptr;
  void* reply = nullptr;
  if (redisReaderGetReply(reader_->hiredis.get(), &reply) != REDIS_OK) {
    trouble_ = Trouble::not_redis;
  } else if (reply == nullptr) {
    look_at_rest();
  } else {
    bytes_ = reader_->rest().size();
    reader_->elements = 0;
  }
  return OwnReply(static_cast<redisReply*>(reply));
}

// It begins with a line that has not ended, or the length of a text. hiredis looks for the end of a
// line from its begin again, whatever comes of it.
void ReplyReader::look_at_rest() {
  const std::string_view rest = reader_->rest();
  const std::size_t end = rest.substr(0, kLongestLine).find("\r\n");
  if (end == std::string_view::npos) {
    if (rest.size() > kLongestLine) trouble_ = Trouble::not_redis;
    return;
  }
  const auto length = read_integer<std::uint64_t>(rest.substr(0, end));
  if (!length) return;
  if (*length > kMostBytes) {
    trouble_ = Trouble::too_large;
    return;
  }
  const std::size_t size = end + *length + 4;
  if (size <= rest.size()) return;
  lacking_ = size - rest.size();
  held_.reserve(lacking_);
}

}  // namespace netkit::redis
