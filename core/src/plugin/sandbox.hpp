// `--sandbox`: what a server gives up once it listens, so that compromising it gains little.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>

namespace netkit {

// What a server keeps.
struct SandboxNeeds {
  bool programs = false;  // it starts commands, which inherit what is left: files are not limited
  bool any_file = false;  // lines of its input may name files to be read
  std::vector<std::string> files{};    // that options name: to read, and their folders to write
  std::vector<std::uint16_t> ports{};  // of TCP, to connect to
  bool any_port = false;               // where to connect to is told by others: Sentinel, a cluster
};

// What the values of an action name. Pure.
SandboxNeeds sandbox_needs(const ActionDef& action, const Values& values);

// For this thread and those that it starts from now on, irrevocably: no new privileges, no system
// calls that no server makes (execve among them), no files except the system's to read and those of
// `needs`, no TCP connections except to its ports; as far as the kernel can. Returns what could not
// be restricted, as a sentence; empty: everything was. [main thread, before others are started]
std::string enter_sandbox(const SandboxNeeds& needs);

}  // namespace netkit
