// Whether an object outlives a callback that its owner may destroy it in.
#pragma once

#include <memory>
#include <utility>

namespace netkit {

// A member of the object in question. [loop]
class Survival {
 public:
  Survival() = default;
  ~Survival() { *alive_ = false; }
  Survival(const Survival&) = delete;
  Survival& operator=(const Survival&) = delete;

  // Runs `call` and says whether the object still exists afterwards. Calls may nest.
  template <typename Call>
  bool of(Call&& call) {
    const std::shared_ptr<const bool> alive = alive_;
    std::forward<Call>(call)();
    return *alive;
  }

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace netkit
