// Messages of any sizes through a packer of any body size and back, some chunks dropped as a
// sender does: every
// numbered message is delivered or reported once, and those delivered are whole.
// Input: body size, flags, then a byte per message: its size, and in the top bit a flush after it.
// The same bytes decide which chunks are dropped.
#include "datagram/chunk.hpp"
#include "datagram/receive_side.hpp"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace netkit::datagram;  // NOLINT(google-build-using-namespace)

std::string message(std::size_t i, std::size_t size) {
  return std::string(size, static_cast<char>('a' + i % 26));
}

class Check final : public MessageHandler {
 public:
  Check(const std::vector<std::size_t>& all, bool counts) : sizes(all), numbered(counts) {}
  void on_message(std::uint64_t record, std::string_view text) override {
    if (!numbered) {
      if (record != 0 || text != message(next, sizes.at(next))) std::abort();
      ++next;
      return;
    }
    if (record != next + 1 || text != message(next, sizes.at(next))) std::abort();
    ++next;
  }
  void on_gap(const Gap& gap) override {
    if (!numbered || gap.from != next + 1 || gap.to > sizes.size()) std::abort();
    next = static_cast<std::size_t>(gap.to);
  }
  void on_end(const Bye&) override { std::abort(); }

  const std::vector<std::size_t>& sizes;
  bool numbered;
  std::size_t next = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3 || size > 400) return 0;
  const std::size_t max_body = 16 + data[0] * 5u;
  const bool numbered = (data[1] & 1) != 0;
  const bool lossy = numbered && (data[1] & 2) != 0;
  Packer packer({max_body, 65536, numbered ? 1u : 0u});
  std::vector<ChunkRef> chunks;
  std::vector<std::size_t> sizes;
  for (std::size_t i = 2; i < size; ++i) {
    sizes.push_back((data[i] & std::size_t{0x7f}) * 9);
    if (!packer.append(message(sizes.size() - 1, sizes.back()))) std::abort();
    if (data[i] & 0x80) {
      for (const ChunkRef& chunk : packer.flush()) chunks.push_back(chunk);
    }
  }
  for (const ChunkRef& chunk : packer.flush()) chunks.push_back(chunk);
  Options options;
  Counters counters;
  Check check(sizes, numbered);
  Reassembler reassembler(options, counters);
  if (numbered) reassembler.expect(1);
  Gap gap;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    if (chunks[i]->body.size() > max_body || !is_valid_body(chunks[i]->body)) std::abort();
    const bool last = i + 1 == chunks.size();
    if (lossy && !last && (data[i % size] >> i % 7 & 1) != 0) {
      if (gap.from == 0) gap.from = chunks[i]->first_record;
      gap.to = chunks[i]->last_record();
      continue;
    }
    if (gap.to != 0) reassembler.deliver(make_gap(std::exchange(gap, Gap{}))->body, check);
    reassembler.deliver(chunks[i]->body, check);
  }
  if (check.next != sizes.size()) std::abort();
  return 0;
}
