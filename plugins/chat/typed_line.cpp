#include <algorithm>
#include <array>
#include <chat/typed_line.hpp>
#include <chrono>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <netkit/util/quantity.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

constexpr std::array<std::string_view, 11> kMemberCommands = {"/ban",  "/help",  "/ignore", "/kick",
                                                              "/me",   "/msg",   "/mute",   "/nick",
                                                              "/quit", "/topic", "/who"};
constexpr std::array<std::string_view, 4> kPeerCommands = {"/peers", "/to", "/help", "/quit"};

struct Split {
  std::string_view word;
  std::string_view rest;
};

Split split(std::string_view line) {
  const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
  return {line.substr(0, end), trim_white_space(line.substr(end))};
}

bool is_command(std::string_view line) {
  return line.starts_with('/') && !line.starts_with("//");
}

TypedLine say(std::string_view line) {
  return Say{false, line.starts_with("//") ? line.substr(1) : line};
}

TypedMistake unknown(std::string_view word, std::span<const std::string_view> commands) {
  std::vector<std::string_view> words;  // without the slash, in which they are all alike
  for (const std::string_view command : commands) words.push_back(command.substr(1));
  const std::string_view meant = suggest(word.substr(1), words);
  return {fmt::format("unknown command '{}' (start with // to send a /){}", word,
                      meant.empty() ? "" : fmt::format("; did you mean '/{}'?", meant))};
}

TypedLine read_tell(std::string_view rest) {
  if (rest.find_first_of(" \t") == std::string_view::npos) {
    return TypedMistake{"write /msg NAME TEXT"};
  }
  return Tell{rest};
}

TypedLine read_nick(std::string_view rest) {
  const std::string_view why = why_not_a_name(rest);
  if (rest.empty()) return TypedMistake{"write /nick NAME"};
  if (!why.empty()) return TypedMistake{fmt::format("the name {}", why)};
  return Rename{rest};
}

// The last word may be how long; the name may have several.
TypedLine read_mute(std::string_view rest) {
  if (rest.empty()) return TypedMistake{"write /mute NAME [D]"};
  const std::size_t blank = rest.find_last_of(" \t");
  if (blank == rest.npos) return Mute{Mute::kForever, rest};
  const auto span = read_duration(rest.substr(blank + 1));
  if (!span || *span == kNever) return Mute{Mute::kForever, rest};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(*span).count();
  return Mute{static_cast<std::uint32_t>(std::min<std::int64_t>(seconds, Mute::kForever - 1)),
              trim_white_space(rest.substr(0, blank))};
}

TypedLine read_topic(std::string_view rest) {
  if (rest.size() > kMaxTopic) return TypedMistake{"a topic has at most 300 bytes"};
  return SetTopic{rest};
}

}  // namespace

std::span<const std::string_view> member_commands() {
  return kMemberCommands;
}

std::span<const std::string_view> peer_commands(bool prompt) {
  return std::span(kPeerCommands).first(prompt ? 4 : 2);
}

TypedLine read_member_line(std::string_view line) {
  if (!is_command(line)) return say(line);
  const auto [word, rest] = split(line);
  if (word == "/who") return Who{};
  if (word == "/quit") return TypedQuit{};
  if (word == "/help") return TypedHelp{};
  if (word == "/nick") return read_nick(rest);
  if (word == "/msg") return read_tell(rest);
  if (word == "/ignore") return TypedIgnore{rest};
  if (word == "/mute") return read_mute(rest);
  if (word == "/topic") return read_topic(rest);
  if (word == "/kick" && !rest.empty()) return Kick{rest};
  if (word == "/ban" && !rest.empty()) return Ban{rest};
  if (word == "/kick" || word == "/ban") return TypedMistake{fmt::format("write {} NAME", word)};
  if (word != "/me") return unknown(word, kMemberCommands);
  if (rest.empty()) return TypedMistake{"write /me TEXT"};
  return Say{true, rest};
}

TypedLine read_peer_line(std::string_view line, bool prompt) {
  if (!is_command(line)) return say(line);
  const auto [word, rest] = split(line);
  if (word == "/peers") return TypedPeers{};
  if (word == "/to") {
    if (rest.empty()) return TypedMistake{"write /to HOST:PORT"};
    return TypedTo{rest};
  }
  if (prompt && word == "/quit") return TypedQuit{};
  if (prompt && word == "/help") return TypedHelp{};
  if (!prompt) return say(line);  // a script's line is said as it is
  return unknown(word, kPeerCommands);
}

std::string_view member_help() {
  return "/who, /nick NAME, /msg NAME TEXT, /me TEXT, /ignore [NAME], /quit; //x sends /x; "
         "operators: /kick NAME, /mute NAME [D], /ban NAME, /topic TEXT";
}

std::string IgnoreList::obey(std::string_view name) {
  if (name.empty()) {
    return names_.empty() ? "nobody is ignored"
                          : fmt::format("ignored: {}", fmt::join(names_, " "));
  }
  const auto at = names_.find(name);
  if (at == names_.end()) {
    names_.emplace(name);
    return fmt::format("{} is ignored", name);
  }
  names_.erase(at);
  return fmt::format("{} is no longer ignored", name);
}

std::vector<std::string> complete_line(std::string_view line, std::string_view word,
                                       std::span<const std::string_view> commands,
                                       std::span<const std::string> names) {
  std::vector<std::string> found;
  if (line.size() == word.size() && word.starts_with('/')) {
    for (const std::string_view command : commands) {
      if (command.starts_with(word)) found.emplace_back(command);
    }
    return found;
  }
  for (const std::string& name : names) {
    if (name.starts_with(word)) found.push_back(name);
  }
  return found;
}

}  // namespace netkit::chat
