#include "io/prompt_input.hpp"

#include <cstddef>
#include <cwchar>
#include <cwctype>

namespace netkit {
namespace {

int width_of(wchar_t c, int column) {
  if (c == L'\t') return 8 - column % 8;
  if (std::iswcntrl(static_cast<std::wint_t>(c)) != 0) return 2;
  const int width = ::wcwidth(c);
  return width < 0 ? 1 : width;
}

}  // namespace

int wrapped_rows(std::string_view text, int columns) {
  int row = 0;
  int column = 0;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t c = L'?';
    std::size_t size = std::mbrtowc(&c, text.data(), text.size(), &state);
    if (size == 0 || size > text.size()) {  // a zero, or no character of the locale
      size = 1;
      state = {};
    }
    text.remove_prefix(size);
    const int width = width_of(c, column);
    if (column + width > columns) {
      ++row;
      column = 0;
    }
    column += width;
  }
  return column == columns ? row + 1 : row;
}

}  // namespace netkit
