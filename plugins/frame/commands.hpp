// The actions of frame. The definitions say what a command line may hold.
#pragma once

#include <memory>

#include <netkit/cli/option.hpp>
#include <netkit/plugin/plugin.hpp>

namespace netkit::frame {

ActionDef serve_action();
ActionDef connect_action();
ActionDef proxy_action();
ActionDef encode_action();
ActionDef decode_action();
ActionDef replay_action();

std::unique_ptr<Command> make_serve();
std::unique_ptr<Command> make_connect();
std::unique_ptr<Command> make_proxy();
std::unique_ptr<Command> make_encode();
std::unique_ptr<Command> make_decode();
std::unique_ptr<Command> make_replay();

}  // namespace netkit::frame
