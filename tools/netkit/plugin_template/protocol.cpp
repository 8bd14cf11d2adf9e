#include "protocol.hpp"

namespace skeleton_plugin {
namespace {

constexpr char kQuestion = '?';
constexpr char kAnswer = '=';

char upper(char byte) {
  return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
}

}  // namespace

std::string make_question(std::string_view text) {
  std::string question(1, kQuestion);
  question.append(text);
  return question;
}

std::optional<std::string> answer_to(std::string_view datagram) {
  if (!datagram.starts_with(kQuestion)) return std::nullopt;
  std::string answer(1, kAnswer);
  for (const char byte : datagram.substr(1)) answer += upper(byte);
  return answer;
}

std::optional<std::string_view> answer_text(std::string_view datagram) {
  if (!datagram.starts_with(kAnswer)) return std::nullopt;
  return datagram.substr(1);
}

}  // namespace skeleton_plugin
