// Manual pages, where the machine has them and a program to show them.
#pragma once

#include <string>

namespace netkit {

// Shows the page of section 1 in the foreground: a user's own, below XDG_DATA_HOME, that of this
// installation, else what man finds by name. False, and nothing is shown, where there is none or no
// man.
bool show_man_page(const std::string& name);

}  // namespace netkit
