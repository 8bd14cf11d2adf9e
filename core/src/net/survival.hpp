// Whether an object outlives a callback that its owner may destroy it in.
#pragma once

#include <utility>

namespace netkit {

// A member of the object in question. [loop]
class Survival {
 public:
  Survival() = default;
  ~Survival() {
    if (gone_ != nullptr) *gone_ = true;
  }
  Survival(const Survival&) = delete;
  Survival& operator=(const Survival&) = delete;

  // Runs `call` and says whether the object still exists afterwards. Calls may nest.
  template <typename Call>
  bool of(Call&& call) {
    bool gone = false;
    bool* const outer = std::exchange(gone_, &gone);
    std::forward<Call>(call)();
    if (gone) {
      if (outer != nullptr) *outer = true;
      return false;
    }
    gone_ = outer;
    return true;
  }

 private:
  bool* gone_ = nullptr;  // of the innermost call that is running
};

}  // namespace netkit
