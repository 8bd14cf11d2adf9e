#include <sse/response_reader.hpp>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace netkit::sse {
namespace {

struct Sink : ResponseReader::Handler {
  void on_head(const ResponseReader::Head& head) override {
    text += std::to_string(head.status) + " " + std::string(head.content_type) + "|";
  }
  void on_body(std::string_view bytes) override { text += bytes; }
  std::string text;
};

// Status, media type and body, how it ended, and what was left; however the input is cut.
std::string read(std::string_view input, bool to_head = false) {
  std::string whole;
  for (std::size_t piece = input.size(); piece > 0; --piece) {
    ResponseReader reader;
    reader.restart(to_head);
    Sink sink;
    std::size_t taken = 0;
    for (std::size_t at = 0; at < input.size() && taken == at; at += piece) {
      taken += reader.feed(input.substr(at, piece), sink);
    }
    switch (reader.state()) {
      case ResponseReader::State::more:
        sink.text += reader.finish() ? "|closed" : "|cut";
        break;
      case ResponseReader::State::done:
        sink.text += "|done";
        break;
      case ResponseReader::State::failed:
        return "failed";
    }
    if (taken < input.size()) sink.text += " " + std::string(input.substr(taken));
    if (whole.empty()) whole = sink.text;
    EXPECT_EQ(sink.text, whole) << piece;
  }
  return whole;
}

TEST(ResponseReader, ReadsUpToTheClose) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\ncontent-type: a/b\r\n\r\nbody"), "200 a/b|body|closed");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"), "|cut");
}

TEST(ResponseReader, ReadsALength) {
  EXPECT_EQ(read("HTTP/1.1 200\nContent-Length: 4\n\nbodyHTTP"), "200 |body|done HTTP");
  EXPECT_EQ(read("HTTP/1.1 200\nContent-Length: 5\n\nbody"), "200 |body|cut");
  EXPECT_EQ(read("HTTP/1.1 200\nContent-Length: 0\n\nHTTP"), "200 ||done HTTP");
}

TEST(ResponseReader, ReadsChunks) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(read(head + "2\r\nbo\r\n2;x=\"y\"\r\ndy\r\n0\r\nX: y\r\n\r\nHTTP"),
            "200 |body|done HTTP");
  EXPECT_EQ(read(head + "A\r\n0123456789\r\n"), "200 |0123456789|cut");
  EXPECT_EQ(read(head + "zz\r\n"), "failed");
}

TEST(ResponseReader, KnowsAnswersWithoutABody) {
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n"), "204 ||done");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", true), "200 ||done");
}

TEST(ResponseReader, PassesOverInterimAnswers) {
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nx"),
            "404 |x|done");
}

TEST(ResponseReader, KnowsWhatIsNoHttp) {
  EXPECT_EQ(read("220 mail ESMTP\r\n\r\n"), "failed");
  EXPECT_EQ(read("HTTP/1.1 abc\r\n\r\n"), "failed");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), "failed");
}

}  // namespace
}  // namespace netkit::sse
