#include "support/reference_utf8.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include <netkit/util/digits.hpp>
#include <netkit/util/excerpt.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

TEST(Digits, AreDecimalAndNothingElse) {
  EXPECT_TRUE(is_digits("007"));
  for (const char* const other : {"", "-1", "+1", "1 ", "1.5", "0x1", "\u0661"}) {
    EXPECT_FALSE(is_digits(other)) << other;
  }
  EXPECT_EQ(leading_digits("12ab3"), 2u);
  EXPECT_EQ(leading_digits("ab"), 0u);
  EXPECT_EQ(leading_digits("42"), 2u);
}

std::string Utf8(std::uint32_t code_point) {
  std::string out;
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80u | (code_point >> shift & 0x3Fu));
  };
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  if (code_point < 0x800) {
    out += static_cast<char>(0xC0u | code_point >> 6);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0u | code_point >> 12);
    tail(6);
  } else {
    out += static_cast<char>(0xF0u | code_point >> 18);
    tail(12);
    tail(6);
  }
  tail(0);
  return out;
}

bool IsShown(std::uint32_t code_point) {
  return escaped_text(Utf8(code_point)) == Utf8(code_point);
}

TEST(ValidUtf8, TakesEveryCodePointButSurrogates) {
  for (std::uint32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    const bool surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
    ASSERT_EQ(is_valid_utf8(Utf8(code_point)), !surrogate) << std::hex << code_point;
  }
}

TEST(ValidUtf8, RefusesWhatRfc3629Refuses) {
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80",
                           "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
                           "\xE2\x82", "\xC3", "\xC3(", "abc\xF0\x9F\x98"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << escaped_text(text);
  }
}

TEST(ValidUtf8, AgreesWithTheReferenceOnEveryPairAndTripleOfOddBytes) {
  const std::string odd(
      "\0\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF1\xF4\xF5\xFF", 21);
  for (const char a : odd) {
    for (const char b : odd) {
      for (const char c : odd) {
        for (const std::string& text :
             {std::string{a, b}, std::string{a, b, c}, std::string{a, b, c, '\x80'}}) {
          ASSERT_EQ(is_valid_utf8(text), test::reference_is_utf8(text)) << escaped_text(text);
        }
      }
    }
  }
}

TEST(ValidUtf8, FindsABadByteAtEveryPlace) {
  for (std::size_t size = 1; size < 50; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      EXPECT_TRUE(is_valid_utf8(text));
      text[at] = '\xFF';
      EXPECT_FALSE(is_valid_utf8(text)) << at << " of " << size;
    }
  }
}

TEST(EscapeText, ShowsControlsPerByteInLowerCase) {
  EXPECT_EQ(escaped_text("\x1B[2J"), "\\x1b[2J");
  EXPECT_EQ(escaped_text("a\rb\x7F"), "a\\x0db\\x7f");
  EXPECT_EQ(escaped_text(std::string_view("\0", 1)), "\\x00");
  EXPECT_EQ(escaped_text("\xC2\x9B"), "\\xc2\\x9b");
}

TEST(EscapeText, KeepsTabAndOrdinaryText) {
  EXPECT_EQ(escaped_text("a\tb \\ ~"), "a\tb \\ ~");
  EXPECT_EQ(escaped_text("äöü 你好 😀"), "äöü 你好 😀");
}

TEST(EscapeText, KeepsLineFeedsOnlyWhenAsked) {
  EXPECT_EQ(escaped_text("a\nb"), "a\\x0ab");
  EXPECT_EQ(escaped_text("a\nb", true), "a\nb");
  EXPECT_EQ(escaped_text("a\r\nb", true), "a\\x0d\nb");
}

TEST(EscapeText, HidesWhatTurnsTextAround) {
  EXPECT_EQ(escaped_text("\u202E"), "\\xe2\\x80\\xae");
  for (const std::uint32_t hidden : {0x80u, 0x9Fu, 0x202Au, 0x202Eu, 0x2066u, 0x2069u}) {
    EXPECT_FALSE(IsShown(hidden)) << std::hex << hidden;
  }
  for (const std::uint32_t shown : {0xA0u, 0x61Cu, 0x200Eu, 0x200Fu, 0x2028u, 0x2029u, 0x202Fu,
                                    0x2065u, 0x206Au, 0xFFFDu, 0x10FFFFu}) {
    EXPECT_TRUE(IsShown(shown)) << std::hex << shown;
  }
}

TEST(EscapeText, ShowsEachByteThatIsNotUtf8) {
  EXPECT_EQ(escaped_text("\xFFz\xE2\x82"), "\\xffz\\xe2\\x82");
  EXPECT_EQ(escaped_text("\xE2\x82Z"), "\\xe2\\x82Z");
  EXPECT_EQ(escaped_text("\xED\xA0\x80"), "\\xed\\xa0\\x80");
}

TEST(EscapeText, FindsTheBadByteAtEveryPlaceOfALongText) {
  for (std::size_t size = 1; size < 70; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'x');
      text[at] = '\a';
      EXPECT_EQ(escaped_text(text),
                std::string(at, 'x') + "\\x07" + std::string(size - at - 1, 'x'));
    }
  }
}

TEST(EscapeText, Appends) {
  std::string out = "peer ";
  escape_text(out, "hi", false);
  EXPECT_EQ(out, "peer hi");
}

TEST(TrimWhiteSpace, TakesItFromBothEnds) {
  EXPECT_EQ(trim_white_space(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim_white_space("reg\n"), "reg");
  EXPECT_EQ(trim_white_space(" \v\f "), "");
  EXPECT_EQ(trim_white_space(""), "");
}

TEST(RepairUtf8, PutsOneReplacementForEachMaximalSubpart) {
  const auto repaired = [](std::string_view bytes) {
    std::string out = "old";
    EXPECT_TRUE(repair_utf8(out, bytes, 100));
    return out;
  };
  EXPECT_EQ(repaired("a\u00e4\u20ac\U0001F600"), "a\u00e4\u20ac\U0001F600");
  EXPECT_EQ(repaired("\xE2\x82Z"), "\uFFFDZ");
  EXPECT_EQ(repaired("\xF0\x9F\x98"), "\uFFFD");
  EXPECT_EQ(repaired("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(repaired("\xC0\xAF\xFF"), "\uFFFD\uFFFD\uFFFD");
}

TEST(RepairUtf8, SaysWhenItIsTooMuch) {
  std::string out;
  EXPECT_TRUE(repair_utf8(out, "\xFF", 3));
  EXPECT_FALSE(repair_utf8(out, "\xFF", 2));
}

TEST(HasUnseen, FindsEachKindOfWhatDoesNotShow) {
  // Spaces, format characters, directions, fillers, variations, tags, empty shapes.
  for (const char* unseen :
       {"\u00A0", "\u1680", "\u2003",     "\u202F",     "\u205F",     "\u3000",
        "\u200B", "\u200D", "\u200E",     "\u00AD",     "\u0600",     "\u180E",
        "\u2060", "\uFEFF", "\u061C",     "\u202E",     "\u2066",     "\u034F",
        "\u115F", "\u1160", "\u3164",     "\uFFA0",     "\u17B4",     "\uFE0F",
        "\u2800", "\uFFF9", "\U000E0100", "\U000E0041", "\U00013437", "\U0001D159"}) {
    EXPECT_TRUE(has_unseen(std::string("ann") + unseen)) << unseen;
    EXPECT_TRUE(has_unseen(std::string("\xFF") + unseen + "ann")) << unseen;
  }
  for (const char* seen :
       {"ann b", "\u00E5sa", "\u0410\u043D\u043D\u0430", "\u5B89", "\U0001F642", "\xFF"}) {
    EXPECT_FALSE(has_unseen(seen)) << seen;
  }
}

TEST(HexValue, KnowsBothCasesAndNothingElse) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto c = static_cast<char>(byte);
    const std::size_t lower = kHexDigits.find(c);
    const std::size_t upper = std::string_view("0123456789ABCDEF").find(c);
    const std::size_t expected = std::min(lower, upper);
    EXPECT_EQ(hex_value(c), expected == std::string_view::npos ? -1 : static_cast<int>(expected));
  }
}

TEST(ReadInteger, TakesAWholeTextThatFits) {
  EXPECT_EQ(read_integer<std::uint16_t>("65535"), 65535);
  EXPECT_EQ(read_integer<int>("-7"), -7);
  for (const char* text : {"", "65536", "-1", "+1", " 1", "1 ", "0x1", "1.5"}) {
    EXPECT_EQ(read_integer<std::uint16_t>(text), std::nullopt) << text;
  }
}

TEST(Counted, KnowsOneFromMore) {
  EXPECT_EQ(counted(0, "client"), "0 clients");
  EXPECT_EQ(counted(1, "client"), "1 client");
  EXPECT_EQ(counted(2, "client"), "2 clients");
}

TEST(Excerpt, CutsNoCharacter) {
  EXPECT_EQ(excerpt("hello", 5), "hello");
  EXPECT_EQ(excerpt("hello", 4), "hell");
  const std::string_view text = "a\u00e9\u20ac\U0001f600";  // of 1, 2, 3 and 4 bytes
  const std::size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10};
  for (std::size_t most = 0; most <= text.size(); ++most) {
    EXPECT_EQ(excerpt(text, most).size(), whole[most]) << most;
  }
  EXPECT_GE(excerpt(std::string(20, '\x80'), 10).size(), 7u);  // what is not UTF-8
}

}  // namespace
}  // namespace netkit
