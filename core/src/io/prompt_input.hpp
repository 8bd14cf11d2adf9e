// Lines typed at a terminal.
#pragma once

#include <memory>

#include <netkit/io/input.hpp>

namespace netkit {

// An Input with editing, completion and history by readline, of which there is one in a process.
// Throws PluginError when a prompt is open already.
std::unique_ptr<Input> open_prompt(Host& host, Input::Handler& handler, Input::Options options);

}  // namespace netkit
