// "Did you mean": the word that somebody who mistyped one had in mind.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <netkit/util/export.hpp>

namespace netkit {

// How many letters have to be put in, left out, changed or swapped with their neighbour to make one
// of the other (Damerau and Levenshtein, no part edited twice); letters compare without case. Any
// thread, as all of these.
NETKIT_API std::size_t edit_distance(std::string_view a, std::string_view b);

// The candidate that is nearest to `word`, the first of equals; empty when none is near: up to one
// edit in words of up to three letters, two up to seven, three above.
NETKIT_API std::string_view suggest(std::string_view word,
                                    std::span<const std::string_view> candidates);

// "; did you mean 'listen'?", or empty, to stand at the end of a message.
NETKIT_API std::string did_you_mean(std::string_view word,
                                    std::span<const std::string_view> candidates);

}  // namespace netkit
