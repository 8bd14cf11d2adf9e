// Answers of Redis: read from the bytes that come, by hiredis, and looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct redisReply;

namespace netkit::redis {

// An answer, or a part of one, valid as long as its owner.
class Reply {
 public:
  explicit Reply(const redisReply* reply) : reply_(reply) {}
  bool is_error() const;
  bool is_null() const;
  std::string_view text() const;  // of a string, a status or an error; else empty
  std::int64_t integer() const;   // of an integer, or a string that is one; else 0
  std::uint64_t number() const { return static_cast<std::uint64_t>(integer()); }
  std::size_t size() const;  // of an array; else 0
  Reply operator[](std::size_t i) const;

 private:
  const redisReply* reply_;
};

// The owner of an answer.
struct FreeReply {
  void operator()(redisReply* reply) const;
};
using OwnReply = std::unique_ptr<redisReply, FreeReply>;

// hiredis' reader, which keeps bytes without end and makes room for as many elements as an array
// announces, within bounds. Not thread-safe.
class ReplyReader {
 public:
  enum class Trouble : std::uint8_t { none, too_large, not_redis };
  // What one answer may take: several times a page of entries, which has 16 MiB where they are as
  // large as those of chat and push may be.
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20U;

  ReplyReader();
  ~ReplyReader();

  void feed(std::string_view bytes);
  // The next answer. Null: it has not come whole, or there will be none, as trouble() says.
  OwnReply next();
  Trouble trouble() const { return trouble_; }

 private:
  struct Reader;  // hiredis' own

  void look_at_rest();

  std::unique_ptr<Reader> reader_;
  std::string held_;         // of a text that is not whole
  std::size_t lacking_ = 0;  // bytes of that text that the reader does not have
  std::size_t bytes_ = 0;    // that have come since the last answer
  Trouble trouble_ = Trouble::none;
};

}  // namespace netkit::redis
