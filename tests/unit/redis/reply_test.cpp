#include <algorithm>
#include <cstddef>
#include <redis/reply.hpp>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace netkit::redis {
namespace {

using Trouble = ReplyReader::Trouble;

class ReplyReaderTest : public ::testing::Test {
 protected:
  // In pieces of so many bytes.
  void feed(std::string_view bytes, std::size_t size) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size()))) {
      reader_.feed(bytes.substr(0, size));
      take();
    }
  }
  void feed(std::string_view bytes) { feed(bytes, bytes.size()); }
  void take() {
    while (const OwnReply reply = reader_.next()) texts_ += read(Reply(reply.get())) + ' ';
  }
  static std::string read(const Reply& reply) {
    if (reply.size() == 0) return std::string(reply.text());
    std::string text = "(";
    for (std::size_t i = 0; i < reply.size(); ++i) text += read(reply[i]);
    return text + ')';
  }

  ReplyReader reader_;
  std::string texts_;
};

TEST_F(ReplyReaderTest, ReadsWhatComesInPieces) {
  const std::string answers =
      "+OK\r\n*3\r\n$5\r\nhe\r\no\r\n*1\r\n$0\r\n\r\n$-1\r\n-ERR no\r\n$3\r\nend\r\n";
  for (std::size_t size = 1; size <= answers.size(); ++size) {
    texts_.clear();
    feed(answers, size);
    EXPECT_EQ(texts_, "OK (he\r\no()) ERR no end ") << size;
  }
}

TEST_F(ReplyReaderTest, TakesALargeText) {
  const std::string text(5 << 20, 'x');
  feed("$" + std::to_string(text.size()) + "\r\n" + text + "\r\n+next\r\n", 65536);
  EXPECT_EQ(texts_, text + " next ");
}

TEST_F(ReplyReaderTest, RefusesALargerOneByItsLength) {
  feed("*2\r\n$5\r\nfirst\r\n$" + std::to_string(ReplyReader::kMostBytes + 1) + "\r\n");
  EXPECT_EQ(reader_.trouble(), Trouble::too_large);
}

TEST_F(ReplyReaderTest, RefusesTheSumOfMany) {
  const std::string text = "$1000000\r\n" + std::string(1000000, 'x') + "\r\n";
  feed("*100\r\n");
  for (int i = 0; i < 67; ++i) feed(text);
  EXPECT_EQ(reader_.trouble(), Trouble::none);
  feed(text);
  EXPECT_EQ(reader_.trouble(), Trouble::too_large);
}

TEST_F(ReplyReaderTest, CountsEachAnswerByItself) {
  const std::string text = "$1000000\r\n" + std::string(1000000, 'x') + "\r\n";
  for (int i = 0; i < 100; ++i) feed(text, 700000);
  EXPECT_EQ(reader_.trouble(), Trouble::none);
}

TEST_F(ReplyReaderTest, RefusesMoreElementsThanAnAnswerMayHave) {
  feed("*2147483647\r\n");
  EXPECT_EQ(reader_.trouble(), Trouble::not_redis);
}

TEST_F(ReplyReaderTest, RefusesALineWithoutEnd) {
  feed("+" + std::string(70000, 'x'));
  EXPECT_EQ(reader_.trouble(), Trouble::not_redis);
}

TEST_F(ReplyReaderTest, RefusesWhatIsNone) {
  feed("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(reader_.trouble(), Trouble::not_redis);
}

}  // namespace
}  // namespace netkit::redis
