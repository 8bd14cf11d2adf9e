// A record that owns what it shows, for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/record/record.hpp>

namespace netkit::test {

// `record()` is valid until the next change.
class RecordBuilder {
 public:
  explicit RecordBuilder(std::string_view type = "message") : type_(type) {}

  RecordBuilder& payload(std::string_view bytes) {
    payload_ = bytes;
    return *this;
  }
  RecordBuilder& peer(std::string_view endpoint) {
    peer_ = Endpoint::parse(endpoint);
    return *this;
  }
  RecordBuilder& field(std::string_view name, FieldValue value) {
    fields_.push_back({name, value});
    return *this;
  }
  RecordBuilder& at(std::chrono::nanoseconds since_epoch) {
    time_ = WallTime(since_epoch);
    return *this;
  }

  Record record() const {
    Record result;
    result.type = type_;
    result.time = time_;
    result.peer = peer_ ? &*peer_ : nullptr;
    result.fields = fields_;
    if (payload_) result.payload = *payload_;
    return result;
  }

 private:
  std::string type_;
  WallTime time_{};
  std::optional<Endpoint> peer_;
  std::vector<Field> fields_;
  std::optional<std::string> payload_;
};

}  // namespace netkit::test
