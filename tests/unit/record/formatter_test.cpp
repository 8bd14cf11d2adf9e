#include "record/formatter.hpp"

#include "support/record_builder.hpp"

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using test::RecordBuilder;

const std::vector<RecordDef>& definitions() {
  static const std::vector<RecordDef> kDefinitions = [] {
    RecordDef message{"message", "what was said", {{"name", "who"}, {"seq", "number"}}};
    message.layout = "[{name}] {text}";
    message.colored_field = "name";
    RecordDef datum{"datum", "bytes"};
    RecordDef loose{"loose", "a datagram"};
    loose.newline_only_if_missing = true;
    RecordDef hidden{"hidden", "not for people"};
    hidden.layout = "";
    RecordDef event{"event", "an event", {{"id", "its id"}}};
    event.payload_name = "data";
    return std::vector<RecordDef>{message, datum, loose, hidden, event};
  }();
  return kDefinitions;
}

std::string formatted(Formatter& formatter, const RecordBuilder& builder) {
  std::string out;
  formatter.format(builder.record(), out);
  return out;
}

std::string text(const RecordBuilder& builder, bool colored = false) {
  return formatted(*make_text_formatter(definitions(), colored), builder);
}

std::optional<std::string> end_after(const RecordBuilder& builder) {
  const auto formatter = make_text_formatter(definitions(), false);
  return std::optional<std::string>(formatter->end_after_payload(builder.record()));
}

std::string json(const RecordBuilder& builder) {
  return formatted(*make_json_formatter(definitions()), builder);
}

TEST(TextForm, FollowsTheLayoutOfTheType) {
  EXPECT_EQ(text(RecordBuilder("message").payload("hi").field("name", std::string_view("ann"))),
            "[ann] hi\n");
  EXPECT_EQ(text(RecordBuilder("datum").payload("hi")), "hi\n");
  EXPECT_EQ(text(RecordBuilder("hidden").payload("hi")), "");
  const RecordBuilder builder = RecordBuilder("hidden").payload("hi");
  Record hidden = builder.record();
  hidden.prefix = "15:12 ";
  hidden.is_call = true;
  std::string shown;
  make_text_formatter(definitions(), true)->format(hidden, shown);
  EXPECT_EQ(shown, "") << "nor what stands before it";
  EXPECT_EQ(text(RecordBuilder("unheard").payload("hi")), "hi\n");
}

TEST(TextForm, ChangesBetweenTypes) {
  const auto formatter = make_text_formatter(definitions(), false);
  std::string out;
  for (const char* type : {"datum", "message", "datum", "hidden", "message"}) {
    formatter->format(RecordBuilder(type).payload("x").record(), out);
  }
  EXPECT_EQ(out, "x\n[] x\nx\n[] x\n");
}

TEST(TextForm, TakesARecordsOwnLineInPlaceOfTheLayout) {
  RecordBuilder builder("message");
  Record record = builder.payload("hi").record();
  record.line = "7\x1b\nhi";
  std::string out;
  make_text_formatter(definitions(), false)->format(record, out);
  EXPECT_EQ(out, "7\\x1b\\x0ahi\n");
  out.clear();
  record.line = "7 hi\r\n";
  make_text_formatter(definitions(), false)->format(record, out);
  EXPECT_EQ(out, "7 hi\n");
}

TEST(TextForm, AddsTheNewlineAlwaysOrOnlyWhereItIsMissing) {
  EXPECT_EQ(text(RecordBuilder("datum").payload("a\n")), "a\n\n");
  EXPECT_EQ(text(RecordBuilder("loose").payload("a\n")), "a\n");
  EXPECT_EQ(text(RecordBuilder("loose").payload("a")), "a\n");
  EXPECT_EQ(text(RecordBuilder("loose").payload("")), "\n");
}

TEST(TextForm, ShowsNoControlOfAPeer) {
  EXPECT_EQ(text(RecordBuilder("message")
                     .payload("\x1b]52;x\a\n")
                     .field("name", std::string_view("\xc2\x9b"))),
            "[\\xc2\\x9b] \\x1b]52;x\\x07\n");
}

TEST(TextForm, PassesAllBytesWhereNothingIsEscaped) {
  const RecordBuilder builder =
      RecordBuilder("message").payload("\x1b[m\n\xff").field("name", std::string_view("a\r"));
  std::string out;
  make_text_formatter(definitions(), false, Escaping::none)->format(builder.record(), out);
  EXPECT_EQ(out, "[a\r] \x1b[m\n\xff\n");
}

TEST(TextForm, GivesAFieldAColourOfItsOwnPerValue) {
  const auto line = [](std::string_view name) {
    return text(RecordBuilder("message").payload("hi").field("name", name), true);
  };
  EXPECT_EQ(line("ann"), line("ann"));
  EXPECT_NE(line("ann").substr(0, 13), line("bob").substr(0, 13));
  EXPECT_TRUE(line("ann").starts_with("[\x1b[38;5;"));
  EXPECT_TRUE(line("ann").ends_with("mann\x1b[39m] hi\n"));
}

TEST(TextForm, SaysWhatFollowsAPayloadThatIsShownAsItIs) {
  EXPECT_EQ(end_after(RecordBuilder("datum").payload("a\nb")), "\n");
  EXPECT_EQ(end_after(RecordBuilder("loose").payload("a\n")), "");
  EXPECT_EQ(end_after(RecordBuilder("loose").payload("a")), "\n");
  EXPECT_EQ(end_after(RecordBuilder("datum").payload("a\x1b")), std::nullopt);
  EXPECT_EQ(end_after(RecordBuilder("message").payload("a")), std::nullopt);
  EXPECT_EQ(end_after(RecordBuilder("hidden").payload("a")), std::nullopt);
}

TEST(TextForm, ShowsNothingUnchangedOfARecordWithALineOfItsOwn) {
  RecordBuilder builder("datum");
  Record record = builder.payload("hi").record();
  record.line = "7";
  EXPECT_EQ(make_text_formatter(definitions(), false)->end_after_payload(record), std::nullopt);
}

TEST(TextForm, BlamesThePluginForABadLayout) {
  std::vector<RecordDef> bad{{"x", "help", {}, "{nope}"}};
  EXPECT_THROW(make_text_formatter(bad, false), PluginError);
}

TEST(JsonForm, HasTypeTimePeerFieldsPayloadInThisOrder) {
  EXPECT_EQ(json(RecordBuilder("message")
                     .payload("hi \"you\"\n")
                     .peer("[::1]:9")
                     .field("name", std::string_view("ann"))
                     .field("seq", std::uint64_t{18446744073709551615U})
                     .at(std::chrono::microseconds(1))),
            "{\"type\":\"message\",\"time\":\"1970-01-01T00:00:00.000001Z\",\"peer\":\"[::1]:9\","
            "\"name\":\"ann\",\"seq\":18446744073709551615,\"text\":\"hi \\\"you\\\"\\n\"}\n");
}

TEST(JsonForm, LeavesOutWhatTheRecordLacks) {
  EXPECT_EQ(json(RecordBuilder("datum")),
            "{\"type\":\"datum\",\"time\":\"1970-01-01T00:00:00.000000Z\"}\n");
}

TEST(JsonForm, NamesThePayloadAsTheTypeDoes) {
  EXPECT_TRUE(json(RecordBuilder("event").payload("x")).ends_with(",\"data\":\"x\"}\n"));
}

TEST(JsonForm, WritesBase64WhereThePayloadIsNotUtf8) {
  EXPECT_TRUE(
      json(RecordBuilder("datum").payload("\xff\x00")).ends_with(",\"base64\":\"/w==\"}\n"));
  EXPECT_TRUE(json(RecordBuilder("event").payload("ab\xc3")).ends_with(",\"base64\":\"YWLD\"}\n"));
}

TEST(JsonForm, EscapesWhatATerminalWouldObey) {
  EXPECT_TRUE(json(RecordBuilder("datum").payload("\x1b\x7f\xc2\x9b\u202e\\\t\b\f\r"))
                  .ends_with("\"text\":\"\\u001b\\u007f\\u009b\\u202e\\\\\\t\\b\\f\\r\"}\n"));
}

TEST(JsonForm, FindsTheCharacterToEscapeAtEveryPlace) {
  for (std::size_t size = 1; size < 50; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string payload(size, '!');
      payload[at] = '"';
      std::string expected =
          "\"text\":\"" + std::string(at, '!') + "\\\"" + std::string(size - at - 1, '!') + "\"}\n";
      ASSERT_TRUE(json(RecordBuilder("datum").payload(payload)).ends_with(expected));
    }
  }
}

TEST(JsonForm, ReplacesBytesOfFieldsThatAreNotUtf8) {
  EXPECT_NE(json(RecordBuilder("message").field("name", std::string_view("a\xff")))
                .find("\"name\":\"a\xEF\xBF\xBD\""),
            std::string::npos);
}

TEST(JsonForm, HasNumbersAndTruthOfItsOwn) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::string line = json(RecordBuilder("datum")
                                    .field("a", true)
                                    .field("b", std::int64_t{-1})
                                    .field("c", 0.25)
                                    .field("d", infinity));
  EXPECT_TRUE(line.ends_with(",\"a\":true,\"b\":-1,\"c\":0.25,\"d\":null}\n")) << line;
}

TEST(JsonForm, NamesATypeThatIsNotDefined) {
  EXPECT_TRUE(json(RecordBuilder("un\"heard")).starts_with("{\"type\":\"un\\\"heard\",\"time\":"));
}

TEST(RawForm, IsThePayload) {
  const auto raw = make_raw_formatter();
  EXPECT_EQ(formatted(*raw, RecordBuilder().payload("a\n\xff")), "a\n\xff");
  EXPECT_EQ(formatted(*raw, RecordBuilder()), "");
}

std::unique_ptr<Formatter> by_template(const char* text, TemplateUse use,
                                       std::span<const RecordDef> definitions = {}) {
  return make_template_formatter(Template::parse(text, "--template"), use, definitions,
                                 make_text_formatter(definitions, false));
}

TEST(TemplateForm, EndsEachLine) {
  const auto lines = by_template("{text}", TemplateUse::lines);
  EXPECT_EQ(formatted(*lines, RecordBuilder().payload("a\x1b")), "a\\x1b\n");
  EXPECT_EQ(formatted(*lines, RecordBuilder().payload("a\n")), "a\n");
}

TEST(TemplateForm, LeavesBytesUnchangedForSockets) {
  const auto bytes = by_template("<{text}>", TemplateUse::bytes);
  EXPECT_EQ(formatted(*bytes, RecordBuilder().payload("a\x1b\n")), "<a\x1b\n>");
}

TEST(TemplateForm, IsThatOfMainRecords) {
  const std::vector<RecordDef> definitions{{.type = "first", .help = ""},
                                           {.type = "other", .help = "", .layout = "* {text}"},
                                           {.type = "hidden", .help = "", .layout = ""},
                                           {.type = "main", .help = "", .is_main = true}};
  const auto lines = by_template("<{text}>", TemplateUse::lines, definitions);
  for (const auto& [type, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"first", "<a>\n"}, {"other", "* a\n"}, {"hidden", ""}, {"main", "<a>\n"}}) {
    EXPECT_EQ(formatted(*lines, RecordBuilder(type).payload("a")), expected) << type;
  }
}

}  // namespace
}  // namespace netkit
