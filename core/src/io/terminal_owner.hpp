// What the line editor asks of the host that it runs in.
#pragma once

#include <functional>

namespace netkit {

// [loop] While a prompt is open, `restore` is called on ways out that do not destroy the Input; the
// host shows no live line. An empty function: the prompt is closed.
class TerminalOwner {
 public:
  virtual ~TerminalOwner() = default;
  virtual void own_terminal(std::function<void()> restore) = 0;
};

}  // namespace netkit
