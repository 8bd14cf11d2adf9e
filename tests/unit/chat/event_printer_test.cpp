#include <chat/history.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>

namespace netkit::chat {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

// Keeps what a record is printed with.
class PrefixOutput final : public Output {
 public:
  void emit(const Record& record) override {
    lines += record.prefix;
    lines += record.is_call ? "! " : "";
    lines += record.line.value_or(record.payload.value_or(record.type));
    lines += '\n';
  }
  bool flush() override { return true; }
  bool flush_all() override { return true; }
  Format format() const override { return Format::text; }
  bool wanted() const override { return true; }
  bool colored() const override { return false; }
  void write_text(std::string_view text) override { lines += text; }
  bool blocked() const override { return false; }
  void on_unblocked(std::function<void()> /*callback*/) override {}

  std::string lines;
};

class EventPrinterTest : public testing::Test {
 protected:
  EventPrinterTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  void print(std::string_view text, Duration after, EventPrinter& printer) {
    const auto since_1970 = std::chrono::seconds(1'795'187'520) + after;  // 2026-11-20 15:12
    printer.print(Message{.time_us = static_cast<std::uint64_t>(
                              std::chrono::duration_cast<microseconds>(since_1970).count()),
                          .name = "bob",
                          .text = text},
                  1, Endpoint(), WallTime());
  }

  Log log_{"", LogLevel::error};
  History history_{log_};
  PrefixOutput output_;
};

TEST_F(EventPrinterTest, PutsTheTimeInFrontAndTheDayWhenItChanges) {
  EventPrinter printer(output_, history_, {.timestamps = true});
  print("one", hours(0), printer);
  print("two", hours(8), printer);
  print("three", hours(9), printer);
  print("four", hours(10), printer);
  EXPECT_EQ(output_.lines, "15:12 one\n23:12 two\n--- 2026-11-21\n00:12 three\n01:12 four\n");
}

TEST_F(EventPrinterTest, PutsNothingInFrontUnlessAsked) {
  EventPrinter printer(output_, history_, {});
  print("one", hours(0), printer);
  print("two", hours(9), printer);
  EXPECT_EQ(output_.lines, "one\ntwo\n");
}

TEST_F(EventPrinterTest, CallsByTheNameAsAWord) {
  EventPrinter printer(output_, history_, {});
  printer.call_by("ann");
  for (const std::string_view text :
       {"ann", "Ann!", "hi, ANN?", "annual", "joann", "ann\u00e4", "an n"}) {
    print(text, hours(0), printer);
  }
  EXPECT_EQ(output_.lines, "! ann\n! Ann!\n! hi, ANN?\nannual\njoann\nann\u00e4\nan n\n");
}

}  // namespace
}  // namespace netkit::chat
