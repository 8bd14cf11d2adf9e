// Whether an object outlives a callback that its owner may destroy it in.
#pragma once

#include <utility>

namespace netkit {

// A member of the object in question. [loop]
class Survival {
 public:
  Survival() = default;
  ~Survival() {
    if (destroyed_ != nullptr) *destroyed_ = true;
  }
  Survival(const Survival&) = delete;
  Survival& operator=(const Survival&) = delete;

  // Runs `call` and says whether the object still exists afterwards. Calls may nest.
  template <typename Call>
  bool of(Call&& call) {
    bool destroyed = false;
    bool* const outer = std::exchange(destroyed_, &destroyed);
    std::forward<Call>(call)();
    if (destroyed) {
      if (outer != nullptr) *outer = true;
      return false;
    }
    destroyed_ = outer;
    return true;
  }

 private:
  bool* destroyed_ = nullptr;  // set while a call runs
};

}  // namespace netkit
