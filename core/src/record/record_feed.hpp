// Sources that never end and give records as they come.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>

namespace netkit {

// [loop] Starts paused.
class RecordFeed {
 public:
  using Give = std::function<void(std::string_view text, WallTime time)>;
  virtual ~RecordFeed() = default;
  virtual void pause() = 0;  // at once, also within a batch
  virtual void resume() = 0;
};

// A Run that knows sources which this area does not: streams of stores.
class FeedOpener {
 public:
  virtual ~FeedOpener() = default;
  // Null where it is none. Throws Error.
  virtual std::unique_ptr<RecordFeed> open_feed(const std::string& name, RecordFeed::Give give) = 0;
};

}  // namespace netkit
