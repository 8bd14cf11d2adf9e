// Any bytes through every decoder of the native protocol; what one of them takes must encode to the
// same bytes, as far as they mean something.
#include "datagram/receive_side.hpp"
#include "datagram/wire.hpp"

#include <cstdlib>
#include <string>
#include <utility>

namespace {

using namespace netkit::datagram;  // NOLINT(google-build-using-namespace)

template <typename Message>
void expect_same(const Message& message, std::string_view datagram, std::size_t size) {
  std::string made;
  encode(message, made);
  made[3] = datagram[3];
  if (made.substr(0, size) != datagram.substr(0, size)) std::abort();
}

// Flags and window may differ: small windows can be written in fours, too.
void expect_same(const Header& header, std::string_view datagram) {
  std::string made(kHeaderSize, '\0');
  encode_header(header, made.data());
  const auto again = decode_header(made);
  if (!again || again->flags != header.flags || again->window != header.window) std::abort();
  for (const auto& [from, size] : {std::pair{2u, 1u}, {4u, 16u}, {22u, 2u}}) {
    if (made.compare(from, size, datagram, from, size) != 0) std::abort();
  }
}

class Ignore final : public MessageHandler {
 public:
  void on_message(std::uint64_t, std::string_view text) override { bytes += text.size(); }
  void on_gap(const Gap& gap) override {
    if (gap.from > gap.to) std::abort();
  }
  void on_end(const Bye&) override {}
  std::size_t bytes = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (classify(input) == Class::known) {
    if (const auto hello = decode_hello(input)) expect_same(*hello, input, 12);
    if (const auto cookie = decode_cookie(input)) expect_same(*cookie, input, 32);
    if (const auto connect = decode_connect(input)) expect_same(*connect, input, size);
    if (const auto accept = decode_accept(input)) expect_same(*accept, input, size);
    if (const auto reject = decode_reject(input)) expect_same(*reject, input, size);
    if (const auto reset = decode_reset(input)) expect_same(*reset, input, 12);
    if (const auto challenge = decode_challenge(input)) expect_same(*challenge, input, 24);
    if (const auto move = decode_move(input)) expect_same(*move, input, 44);
    if (const auto version = decode_version(input)) (void)*version;
    if (const auto header = decode_header(input)) {
      expect_same(*header, input);
      (void)decode_bye(input.substr(kHeaderSize));
    }
  }
  if (!is_valid_body(input) || kind_of(input) == BodyKind::end) return 0;
  Options options;
  Counters counters;
  Ignore sink;
  Reassembler reassembler(options, counters);
  reassembler.deliver(input, sink);
  reassembler.deliver(input, sink);
  if (sink.bytes > 2 * size) std::abort();
  return 0;
}
