// The web page of a room. It loads nothing from elsewhere.
#pragma once

#include <string_view>

namespace netkit::chat {

// Static storage. Any thread.
std::string_view web_page();    // text/html
std::string_view web_script();  // text/javascript
std::string_view web_style();   // text/css

}  // namespace netkit::chat
