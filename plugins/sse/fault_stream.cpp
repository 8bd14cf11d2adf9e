#include <algorithm>
#include <sse/fault_stream.hpp>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::sse {
namespace {

[[noreturn]] void refuse(std::string_view whole, std::string_view right) {
  throw UsageError(fmt::format("--fault: '{}' is not {}", escaped_text(whole), right));
}

template <typename Integer>
Integer number_of(std::string_view text, Integer least, Integer most, std::string_view whole) {
  const auto number = read_integer<Integer>(text);
  if (!number || *number < least || *number > most) {
    refuse(whole, fmt::format("a number from {} to {}", least, most));
  }
  return *number;
}

}  // namespace

Faults Faults::parse(const std::vector<std::string>& texts) {
  Faults faults;
  for (const std::string& text : texts) {
    const std::size_t equal = std::min(text.find('='), text.size());
    const std::string_view name = std::string_view(text).substr(0, equal);
    const std::string_view value = std::string_view(text).substr(std::min(equal + 1, text.size()));
    if (name == "split") {
      faults.split = static_cast<std::size_t>(read_size(value).value_or(0));
      if (faults.split == 0) refuse(text, "a size of at least 1 byte (write split=100)");
    } else if (name == "stall") {
      faults.stall = number_of<std::uint64_t>(value, 1, UINT64_MAX, text);
    } else if (name == "drop") {
      faults.drop = number_of<std::uint64_t>(value, 1, UINT64_MAX, text);
    } else if (name == "status") {
      faults.status = number_of<int>(value, 200, 599, text);
    } else if (name == "retry") {
      const auto retry = read_duration(value);
      if (!retry) refuse(text, "a duration (write retry=500ms)");
      faults.retry = *retry;
    } else {
      refuse(text,
             "a fault (write split=BYTES, stall=EVENTS, drop=EVENTS, status=CODE or retry=D)");
    }
  }
  return faults;
}

FaultStream::FaultStream(const Faults& faults, std::string_view begin_after)
    : faults_(faults),
      begin_after_(begin_after),
      is_plain_(faults.split == 0 && faults.stall == 0 && faults.drop == 0 && begin_after.empty()),
      is_skipping_(!begin_after.empty()),
      parser_(SIZE_MAX / 4) {}

void FaultStream::put(const HttpChunk& chunk) {
  is_plain_ ? write(chunk) : put(chunk.body());
}

// Line by line, so that it is known where an event ends.
void FaultStream::put(std::string_view bytes) {
  if (is_plain_) return write(bytes);
  std::size_t sent = 0;
  std::size_t at = 0;
  while (at < bytes.size() && !is_stalled_ && !ended()) {
    const std::size_t end = std::min(bytes.find('\n', at), bytes.size() - 1) + 1;
    parser_.feed(bytes.substr(at, end - at), *this);
    at = end;
    if (!std::exchange(has_event_, false)) continue;
    if (is_skipping_) {
      is_skipping_ = !is_found_;
      sent = at;
      continue;
    }
    send(bytes.substr(sent, at - sent));
    sent = at;
    if (++events_ == faults_.drop) return cut();
    is_stalled_ = events_ == faults_.stall;
  }
  if (!is_stalled_ && !is_skipping_) send(bytes.substr(sent));
}

void FaultStream::skip_nothing() {
  is_skipping_ = false;
  parser_.restart();
}

bool FaultStream::on_event(const Event& event) {
  has_event_ = true;
  is_found_ = is_found_ || event.id == begin_after_;
  return true;
}

void FaultStream::send(std::string_view bytes) {
  const std::size_t most = faults_.split == 0 ? bytes.size() : faults_.split;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(most, bytes.size()))) {
    write(bytes.substr(0, most));
  }
}

}  // namespace netkit::sse
