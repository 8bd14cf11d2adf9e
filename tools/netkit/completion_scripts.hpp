// The files of completions/, as they are installed.
#pragma once

namespace netkit {

extern const char kBashCompletion[];
extern const char kZshCompletion[];
extern const char kFishCompletion[];

}  // namespace netkit
