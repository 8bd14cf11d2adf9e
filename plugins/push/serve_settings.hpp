// What `push serve` was told to do.
#pragma once

#include <cstddef>
#include <push/hub.hpp>
#include <string>

#include <netkit/cli/values.hpp>
#include <netkit/net/address_spec.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::push {

struct ServeSettings {
  AddressSpec address;
  Hub::Options hub;
  AnswerPolicy::Plain plain = AnswerPolicy::Plain::local;
  std::string command;  // --exec; empty: none
  bool on_change = false;
  Duration every = std::chrono::seconds(10);  // of --exec
  std::size_t min_subscribers = 0;
  std::size_t max_clients = 1024;
  bool keep_open = false;

  // Throws UsageError for what does not fit together.
  static ServeSettings read(const Values& values);
};

}  // namespace netkit::push
