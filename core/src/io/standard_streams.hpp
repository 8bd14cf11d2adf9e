// Standard input, output and error that whoever started netkit has closed.
#pragma once

#include <netkit/util/export.hpp>

namespace netkit {

// Takes the place of each that is closed with a descriptor that neither reads nor writes (EBADF),
// so that no socket gets its number and is written to as standard output. To be made before
// anything is opened; undoes nothing.
class NETKIT_API StandardStreams {
 public:
  StandardStreams();
};

}  // namespace netkit
