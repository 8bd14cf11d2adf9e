// ResponseReader in pieces gives what it gives at once. The first byte is the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <sse/response_reader.hpp>
#include <string>
#include <string_view>

namespace {

struct Sink : netkit::sse::ResponseReader::Handler {
  void on_head(const netkit::sse::ResponseReader::Head& head) override {
    text += std::to_string(head.status) + std::string(head.content_type) +
            std::string(head.content_encoding);
  }
  void on_body(std::string_view bytes) override {
    if (bytes.empty()) std::abort();
    text += bytes;
  }
  std::string text;
};

std::string run(std::string_view input, std::size_t piece) {
  netkit::sse::ResponseReader reader;
  Sink sink;
  std::size_t taken = 0;
  for (std::size_t at = 0; at < input.size() && taken == at; at += piece) {
    taken += reader.feed(std::string(input.substr(at, piece)), sink);
  }
  return sink.text + std::to_string(static_cast<int>(reader.state())) + std::to_string(taken) +
         (reader.finish() ? "whole" : "cut");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (run(input, piece) != run(input, input.size())) std::abort();
  return 0;
}
