// Verbs for tests of the command line: an action with an option of many kinds, and a parse without
// I/O.
#pragma once

#include "cli/parser.hpp"

#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit {

inline std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

class ParseTest : public testing::Test {
 protected:
  ParseTest() {
    action_.name = "send";
    action_.summary = "send things";
    action_.arguments = {{.name = "ADDRESS", .kind = ValueKind::address},
                         {.name = "TEXT", .optional = true, .repeatable = true}};
    action_.common =
        kOutputOptions | kSourceOptions | kCountOption | kWaitOption | kReconnectOptions;
    action_.options = {
        {.name = "udp"},
        {.name = "size", .letter = 's', .kind = ValueKind::size, .min = 2, .max = 65507},
        {.name = "flows", .kind = ValueKind::integer, .min = 1, .max = 100},
        {.name = "wait", .kind = ValueKind::duration, .default_value = "1s"},
        {.name = "allow", .kind = ValueKind::cidr, .repeatable = true},
        {.name = "mode", .kind = ValueKind::choice, .choices = {"skip", "wait", "drop"}},
        {.name = "max-loss", .kind = ValueKind::percent},
        {.name = "text", .letter = 'x', .kind = ValueKind::text},
        {.name = "lease",
         .kind = ValueKind::duration,
         .min = Duration(std::chrono::milliseconds(100)).count(),
         .max = Duration(std::chrono::hours(1)).count()},
        {.name = "pace", .kind = ValueKind::duration, .min = 1},
        {.name = "cert", .kind = ValueKind::path, .needs = {"key"}},
        {.name = "key", .kind = ValueKind::path, .needs = {"cert"}},
        {.name = "tcp", .excludes = {"udp"}},
        {.name = "web", .kind = ValueKind::listen_address, .choices = {""}},
    };
    other_.name = "serve";
    other_.options = {{.name = "threads", .kind = ValueKind::integer, .min = 1}};
  }

  Values read(const std::string& line) { return read(words_of(line)); }
  Values read(const std::vector<std::string>& words) {
    const std::vector<ActionDef> actions{action_, other_};
    ParseContext context{.command = "echo", .actions = actions};
    context.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto at = environment_.find(name);
      if (at == environment_.end()) return std::nullopt;
      return at->second;
    };
    context.config = [this](const std::string& named) {
      named_ = named;
      std::vector<ConfigFile> files;
      for (const auto& [path, text] : files_) files.push_back(ConfigFile::parse(text, path));
      return files;
    };
    context.is_command = [](std::string_view name) { return name == "chat"; };
    return parse(actions.front(), words, context);
  }

  // The sentence that refuses the line; empty when it is taken.
  std::string refusal(const std::string& line) { return refusal(words_of(line)); }
  std::string refusal(const std::vector<std::string>& words) {
    try {
      read(words);
    } catch (const Error& error) {
      status_ = error.status();
      return error.what();
    }
    return {};
  }

  ActionDef action_;
  ActionDef other_;
  std::map<std::string, std::string> environment_;
  std::vector<std::pair<std::string, std::string>> files_;
  std::string named_;
  ExitStatus status_ = ExitStatus::done;
};

}  // namespace netkit
