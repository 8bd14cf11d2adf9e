#include <algorithm>
#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

#include <netkit/util/histogram.hpp>
#include <netkit/util/random.hpp>

namespace netkit {
namespace {

using namespace std::chrono_literals;

double Off(Duration measured, Duration truth) {
  return std::abs(static_cast<double>(measured.count()) / static_cast<double>(truth.count()) - 1);
}

TEST(LatencyHistogramTest, IsEmptyAtFirst) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.percentile(50), 0ns);
  EXPECT_EQ(histogram.mean(), 0ns);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.render(80, true), "");
}

TEST(LatencyHistogramTest, IsExactForOneValue) {
  LatencyHistogram histogram;
  histogram.record(123456ns);
  for (const double percent : {0.0, 50.0, 99.9, 100.0})
    EXPECT_EQ(histogram.percentile(percent), 123456ns);
  EXPECT_EQ(histogram.mean(), 123456ns);
}

TEST(LatencyHistogramTest, IsExactForShortTimes) {
  LatencyHistogram histogram;
  for (int i = 0; i < 200; ++i) histogram.record(Duration(i));
  EXPECT_EQ(histogram.percentile(50), 99ns);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 199ns);
}

TEST(LatencyHistogramTest, IsWithinHalfAPercentEverywhere) {
  for (Duration truth = 256ns; truth < 1000s; truth += truth / 59) {
    LatencyHistogram histogram;
    histogram.record(1ns);
    histogram.record(truth);
    histogram.record(truth);
    histogram.record(1000h);
    EXPECT_LT(Off(histogram.percentile(60), truth), 0.005) << truth.count();
  }
}

TEST(LatencyHistogramTest, FindsThePercentilesOfManyValues) {
  RandomEngine random(3);
  LatencyHistogram histogram;
  std::vector<Duration> values;
  for (int i = 0; i < 100'000; ++i) {
    values.emplace_back(std::llround(20'000 / (1 - random.unit())));
    histogram.record(values.back());
  }
  std::sort(values.begin(), values.end());
  for (const double percent : {1.0, 10.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent * 1000)) - 1;
    EXPECT_LT(Off(histogram.percentile(percent), values[rank]), 0.01) << percent;
  }
  EXPECT_EQ(histogram.min(), values.front());
  EXPECT_EQ(histogram.max(), values.back());
}

TEST(LatencyHistogramTest, KeepsWhatIsOutOfRangeInItsEnds) {
  LatencyHistogram histogram;
  histogram.record(-5s);
  histogram.record(1000h);
  EXPECT_EQ(histogram.min(), 0ns);
  EXPECT_EQ(histogram.max(), 1000h);
  EXPECT_EQ(histogram.count(), 2u);
}

TEST(LatencyHistogramTest, MergesAsIfRecordedTogether) {
  LatencyHistogram both;
  LatencyHistogram left;
  LatencyHistogram right;
  for (int i = 1; i < 1000; ++i) {
    both.record(Duration(i * i));
    (i % 3 == 0 ? left : right).record(Duration(i * i));
  }
  left.merge(right);
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.mean(), both.mean());
  for (int half = 0; half <= 200; ++half) {
    EXPECT_EQ(left.percentile(half / 2.0), both.percentile(half / 2.0));
  }
  left.clear();
  EXPECT_EQ(left.count(), 0u);
}

LatencyHistogram SomeLatencies() {
  LatencyHistogram histogram;
  histogram.record(30us, 320);
  histogram.record(60us, 4100);
  histogram.record(100us, 5390);
  histogram.record(200us, 189);
  histogram.record(3ms);
  return histogram;
}

TEST(HistogramDrawing, HasALineForEachPowerOfTwoWithinWhichThereIsSomething) {
  EXPECT_EQ(SomeLatencies().render(43, false),
            "  <=  32 us   #                       3.2 %\n"
            "  <=  64 us   ###############        41.0 %\n"
            "  <= 128 us   ####################   53.9 %\n"
            "  <= 256 us   .                       1.9 %\n"
            "  <=   4 ms   .                      <0.1 %\n");
}

TEST(HistogramDrawing, IsOfEighthBlocks) {
  EXPECT_EQ(SomeLatencies().render(43, true),
            "   \u2264  32 \u00b5s   \u2588\u258f                      3.2 %\n"
            "   \u2264  64 \u00b5s   "
            "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
            "\u2588\u258f"
            "       41.0 %\n"
            "   \u2264 128 \u00b5s   "
            "\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588\u2588"
            "\u2588\u2588\u2588"
            "\u2588\u2588\u2588   53.9 %\n"
            "   \u2264 256 \u00b5s   \u258b                       1.9 %\n"
            "   \u2264   4 ms   \u00b7                      <0.1 %\n");
}

TEST(HistogramDrawing, DrawsNothingOfAFew) {
  LatencyHistogram histogram;
  histogram.record(1ms, 19);
  EXPECT_EQ(histogram.render(80, true), "");
  histogram.record(1ms);
  EXPECT_NE(histogram.render(80, true), "");
}

TEST(HistogramDrawing, StaysWithinItsWidthAndLosesNobody) {
  RandomEngine random(4);
  for (const double spread : {0.01, 0.5, 3.0, 12.0, 30.0}) {
    LatencyHistogram histogram;
    for (int i = 0; i < 5000; ++i) {
      histogram.record(Duration(std::llround(1000 * std::exp(spread * random.unit()))));
    }
    for (const unsigned width : {40u, 60u, 80u, 200u}) {
      std::istringstream lines(histogram.render(width, false));
      double total = 0;
      for (std::string line; std::getline(lines, line);) {
        EXPECT_LE(line.size(), width) << line;
        const std::string share = line.substr(line.size() - 7, 5);
        if (share.find('<') == std::string::npos) total += std::stod(share);
      }
      EXPECT_NEAR(total, 100, 2);
    }
  }
}

TEST(HistogramSamples, AreCumulativeAndInSeconds) {
  std::string text;
  SomeLatencies().append_samples(text, "rtt", "target=\"a\"");
  EXPECT_NE(text.find("rtt_bucket{target=\"a\",le=\"0.000032768\"} 320\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("rtt_bucket{target=\"a\",le=\"0.000065536\"} 4420\n"), std::string::npos);
  EXPECT_NE(text.find("rtt_bucket{target=\"a\",le=\"+Inf\"} 10000\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("rtt_sum{target=\"a\"} 0.835400000\nrtt_count{target=\"a\"} 10000\n"))
      << text;
}

TEST(LatencyText, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(latency_text(0ns), "0ns");
  EXPECT_EQ(latency_text(850ns), "850ns");
  EXPECT_EQ(latency_text(17230ns), "17.2us");
  EXPECT_EQ(latency_text(1250us), "1.25ms");
  EXPECT_EQ(latency_text(3s), "3.00s");
  EXPECT_EQ(latency_text(-3s), "-3.00s");
}

TEST(LatencyUnitTest, IsChosenOnceForALine) {
  const LatencyUnit unit(67us, true);
  EXPECT_EQ(unit.number(8400ns), "8.4");
  EXPECT_EQ(unit.number(3460us), "3,460");
  EXPECT_EQ(unit.text(310ns), "0.31 \u00b5s");
  EXPECT_EQ(LatencyUnit(67us, false).text(67us), "67 us");
  EXPECT_EQ(LatencyUnit(3500us, true).text(3500us), "3.5 ms");
}

}  // namespace
}  // namespace netkit
