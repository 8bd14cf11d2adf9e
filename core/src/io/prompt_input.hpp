// Lines typed at a terminal.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <netkit/io/input.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// An Input with editing, completion and history by readline, of which there is one in a process.
// Throws PluginError when a prompt is open already.
std::unique_ptr<Input> open_prompt(Run& run, Input::Handler& handler, Input::Options options);

// How long a line may be, for people: with the option that says it, where the action has one.
std::string line_limit_text(const Run& run, std::size_t limit);

// How many rows the cursor is below the first one once `text` was typed at a terminal `columns`
// (at least 2) wide. Control characters take two columns, as readline shows them; a wide character
// that does not fit begins the next row. By the characters of the locale (LC_CTYPE). [one thread]
NETKIT_API int wrapped_rows(std::string_view text, int columns);

}  // namespace netkit
