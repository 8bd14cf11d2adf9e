// Lines typed at a terminal.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <netkit/io/input.hpp>

namespace netkit {

// An Input with editing, completion and history by readline, of which there is one in a process.
// Throws PluginError when a prompt is open already.
std::unique_ptr<Input> open_prompt(Run& run, Input::Handler& handler, Input::Options options);

// How long a line may be, for people: with the option that says it, where the action has one.
std::string line_limit_text(const Run& run, std::size_t limit);

}  // namespace netkit
