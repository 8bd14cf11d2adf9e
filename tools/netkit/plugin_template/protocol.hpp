// The protocol of `netkit skeleton`: bytes go in, bytes come out. No socket, no clock, no printing,
// so that it can be tested by itself.
//
// A question is a datagram that begins with '?'; its answer begins with '=', followed by the rest
// of the question with its ASCII letters in upper case. An answer is never a question and never
// longer than one, so two servers cannot keep each other busy, and nothing is amplified.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skeleton_plugin {

std::string make_question(std::string_view text);

// The answer to a datagram; none where it is no question.
std::optional<std::string> answer_to(std::string_view datagram);

// What an answer says; none where it is not an answer. The view is into `datagram`.
std::optional<std::string_view> answer_text(std::string_view datagram);

}  // namespace skeleton_plugin
