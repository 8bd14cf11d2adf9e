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
  EXPECT_EQ(histogram.render(80), "");
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

TEST(HistogramDrawing, ShowsRangesBarsAndShares) {
  LatencyHistogram histogram;
  histogram.record(11us, 50);
  histogram.record(15us, 25);
  histogram.record(19us, 25);
  EXPECT_EQ(histogram.render(59),
            "11.0us - 12.0us  ################################ 50  50.0%\n"
            "12.0us - 13.0us                                    0   0.0%\n"
            "13.0us - 14.0us                                    0   0.0%\n"
            "14.0us - 15.0us                                    0   0.0%\n"
            "15.0us - 16.0us  ################                 25  25.0%\n"
            "16.0us - 17.0us                                    0   0.0%\n"
            "17.0us - 18.0us                                    0   0.0%\n"
            "18.0us - 19.0us                                    0   0.0%\n"
            "19.0us - 20.0us  ################                 25  25.0%\n");
}

TEST(HistogramDrawing, StaysWithinItsWidthAndTwelveLinesAndLosesNobody) {
  RandomEngine random(4);
  for (const double spread : {0.01, 0.5, 3.0, 12.0}) {
    LatencyHistogram histogram;
    for (int i = 0; i < 5000; ++i) {
      histogram.record(Duration(std::llround(1000 * std::exp(spread * random.unit()))));
    }
    for (const unsigned width : {40u, 60u, 80u, 200u}) {
      std::istringstream lines(histogram.render(width));
      std::uint64_t total = 0;
      int count = 0;
      for (std::string line; std::getline(lines, line); ++count) {
        EXPECT_LE(line.size(), width) << line;
        const std::size_t share = line.find_last_of(' ');
        const std::size_t end = line.find_last_not_of(' ', share);
        total += std::stoull(line.substr(line.find_last_of(' ', end)));
      }
      EXPECT_LE(count, 12);
      EXPECT_EQ(total, 5000u);
    }
  }
}

TEST(LatencyText, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(latency_text(0ns), "0ns");
  EXPECT_EQ(latency_text(850ns), "850ns");
  EXPECT_EQ(latency_text(17230ns), "17.2us");
  EXPECT_EQ(latency_text(1250us), "1.25ms");
  EXPECT_EQ(latency_text(3s), "3.00s");
  EXPECT_EQ(latency_text(-3s), "-3.00s");
}

}  // namespace
}  // namespace netkit
