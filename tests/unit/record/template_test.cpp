#include "support/record_builder.hpp"
#include "support/refusal.hpp"

#include <ctime>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>

#include <netkit/record/template.hpp>
#include <netkit/util/format.hpp>

namespace netkit {
namespace {

using test::RecordBuilder;

std::string render(std::string_view source, const RecordBuilder& builder,
                   Escaping escaping = Escaping::none) {
  std::string out;
  Template::parse(source, "--template").render(builder.record(), out, escaping);
  return out;
}

std::string refusal(std::string_view source) {
  return test::refusal([&] { Template::parse(source, "--reply"); });
}

RecordBuilder hello() {
  return RecordBuilder()
      .payload("hello")
      .peer("127.0.0.1:4711")
      .field("name", std::string_view("ann"))
      .field("seq", std::uint64_t{7})
      .at(std::chrono::seconds(1795187549) + std::chrono::microseconds(123456));
}

TEST(Template, RendersEachCommonField) {
  EXPECT_EQ(render("{text}|{name}|{seq}|{peer}|{ip}|{port}", hello()),
            "hello|ann|7|127.0.0.1:4711|127.0.0.1|4711");
  EXPECT_EQ(render("{peer} {ip} {port}", RecordBuilder().peer("[::1]:9")), "[::1]:9 ::1 9");
}

TEST(Template, RendersTheRecordsTimeInThreeForms) {
  const WallTime time = hello().record().time;
  EXPECT_EQ(render("{time}", hello()), rfc3339(time));
  EXPECT_EQ(render("{date}", hello()), local_date(time));
  EXPECT_EQ(render("{ctime}", hello()), ctime_text(time));
  EXPECT_EQ(render("{time}", hello()), "2026-11-20T15:12:29.123456Z");
}

TEST(Template, KnowsTheMachinesName) {
  char name[256] = {};
  ASSERT_EQ(::gethostname(name, sizeof name - 1), 0);
  EXPECT_EQ(render("{host}", RecordBuilder()), name);
}

TEST(Template, LeavesAFieldEmptyThatTheRecordLacks) {
  EXPECT_EQ(render("<{text}{name}{peer}{ip}{port}{seq}{event}{id}>", RecordBuilder()), "<>");
}

TEST(Template, TakesPeerPortAndTextFromFieldsWhereThereIsNoPeerOrPayload) {
  const auto builder =
      RecordBuilder().field("port", std::uint64_t{80}).field("text", std::string_view("x"));
  EXPECT_EQ(render("{port} {text}", builder), "80 x");
}

TEST(Template, UnderstandsEscapes) {
  EXPECT_EQ(render("a\\n\\t\\r\\\\\\x41\\xfF", RecordBuilder()), "a\n\t\r\\A\xFF");
  EXPECT_EQ(render("\\0", RecordBuilder()), std::string(1, '\0'));
}

TEST(Template, WritesABraceForTwoAndLeavesClosingOnesAlone) {
  EXPECT_EQ(render("{{text}", hello()), "{text}");
  EXPECT_EQ(render("{{{text}}}", hello()), "{hello}}");
  EXPECT_EQ(render("} }}", hello()), "} }}");
}

TEST(Template, KeepsUtf8AroundFields) {
  EXPECT_EQ(render("【{text}】", RecordBuilder().payload("你好")), "【你好】");
}

TEST(Template, WritesNumbersAndTruth) {
  const auto builder =
      RecordBuilder().field("id", std::int64_t{-5}).field("seq", 1.25).field("name", true);
  EXPECT_EQ(render("{id} {seq} {name}", builder), "-5 1.25 true");
}

TEST(Template, RefusesAnUnknownFieldWithWhatThereIs) {
  const std::string message = refusal("{txet}");
  EXPECT_NE(message.find("--reply: unknown field '{txet}'; did you mean '{text}'?"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("{text} {name} {peer} {ip} {port} {seq} {time} {date} {ctime} {host} "
                         "{event} {id}"),
            std::string::npos)
      << message;
}

TEST(Template, RefusesOpenBracesAndUnknownEscapes) {
  EXPECT_NE(refusal("a {text").find("no closing brace"), std::string::npos);
  EXPECT_NE(refusal("{}").find("unknown field '{}'"), std::string::npos);
  EXPECT_NE(refusal("\\q").find("unknown escape '\\q'"), std::string::npos);
  EXPECT_NE(refusal("\\x4").find("unknown escape '\\x4'"), std::string::npos);
  EXPECT_NE(refusal("\\x4g").find("unknown escape '\\x4g'"), std::string::npos);
  EXPECT_NE(refusal("\\x 4").find("unknown escape"), std::string::npos);
  EXPECT_NE(refusal("tail\\").find("unknown escape '\\'"), std::string::npos);
}

TEST(Template, KnowsTheFieldsItIsTold) {
  const std::string_view more[] = {"rtt_ms"};
  std::string out;
  Template::parse("{rtt_ms}", "--template", more)
      .render(RecordBuilder().field("rtt_ms", 0.5).record(), out, Escaping::text);
  EXPECT_EQ(out, "0.5");
  EXPECT_NE(refusal("{rtt_ms}").find("unknown field"), std::string::npos);
}

TEST(Template, LeavesBytesAloneForSockets) {
  EXPECT_EQ(render("{name}: {text}",
                   RecordBuilder().payload("\x1b[2J\n\xff").field("name", std::string_view("\a"))),
            "\a: \x1b[2J\n\xff");
}

TEST(Template, EscapesFieldsForTerminals) {
  const auto builder =
      RecordBuilder().payload("a\x1b\nb\xff").field("name", std::string_view("x\ny"));
  EXPECT_EQ(render("{name} {text}", builder, Escaping::text), "x\\x0ay a\\x1b\\x0ab\\xff");
}

TEST(Template, KeepsLineFeedsOfTextOnlyWhereNothingIsBefore) {
  const auto builder = RecordBuilder().payload("a\nb").field("name", std::string_view("n\n"));
  EXPECT_EQ(render("{text}", builder, Escaping::text), "a\nb");
  EXPECT_EQ(render("{text} {text}", builder, Escaping::text), "a\nb a\\x0ab");
  EXPECT_EQ(render(" {text}", builder, Escaping::text), " a\\x0ab");
  EXPECT_EQ(render("{name}", builder, Escaping::text), "n\\x0a");
}

TEST(Template, LeavesOffOneNewlineAtTheEndOfTextWhereSomethingIsBefore) {
  const auto shown = [](std::string_view payload) {
    return render("> {text}", RecordBuilder().payload(payload), Escaping::text);
  };
  EXPECT_EQ(shown("a\n"), "> a");
  EXPECT_EQ(shown("a\r\n"), "> a");
  EXPECT_EQ(shown("a\n\n"), "> a\\x0a");
  EXPECT_EQ(shown("\n"), "> ");
  EXPECT_EQ(render("> {text}", RecordBuilder().payload("a\n"), Escaping::none), "> a\n");
}

TEST(Template, KeepsWhatTheUserWroteUnescaped) {
  EXPECT_EQ(render("\\x1b[1m{text}\\n", hello(), Escaping::text), "\x1b[1mhello\n");
}

TEST(Template, TellsPayloadOnlyAndConstantFromTheRest) {
  const auto parse = [](std::string_view source) { return Template::parse(source, "--reply"); };
  EXPECT_TRUE(parse("{text}").is_payload_only());
  EXPECT_FALSE(parse("{text}\\n").is_payload_only());
  EXPECT_FALSE(parse("{text}{text}").is_payload_only());
  EXPECT_TRUE(parse("").is_constant());
  EXPECT_TRUE(parse("a{{b").is_constant());
  EXPECT_FALSE(parse("a{time}").is_constant());
  EXPECT_EQ(parse("a{{b").source(), "a{{b");
}

TEST(Template, IsSharedByItsCopies) {
  Template copy = Template::parse("{text}", "--reply");
  const Template other = copy;
  copy = Template::parse("x", "--reply");
  std::string out;
  other.render(hello().record(), out, Escaping::none);
  EXPECT_EQ(out, "hello");
}

TEST(Template, Appends) {
  std::string out = "before ";
  Template::parse("{text}", "--reply").render(hello().record(), out, Escaping::text);
  EXPECT_EQ(out, "before hello");
}

}  // namespace
}  // namespace netkit
