#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/record/recording.hpp>

namespace netkit {
namespace {

using Fault = RecordingReader::Fault;

const std::string kHeader = "netkit-frame-recording 1\n";

class RecordingTest : public testing::Test {
 protected:
  std::vector<RecordedBytes> read(std::string_view text, std::size_t piece = 1000) {
    RecordingReader reader("frame", 1000, "--max-frame");
    std::vector<RecordedBytes> records;
    const auto keep = [&](const RecordedBytes& record) { records.push_back(record); };
    for (std::size_t at = 0; at < text.size(); at += piece) {
      reader.feed(text.substr(at, piece), keep);
    }
    fault_ = reader.finish(keep);
    text_ = reader.fault_text();
    return records;
  }
  Fault fault_of(std::string_view text) {
    read(text);
    return fault_;
  }

  Fault fault_ = Fault::none;
  std::string text_;
};

TEST_F(RecordingTest, IsTextALineARecord) {
  std::string file;
  append_recording_header(file, "frame");
  append_recorded(file, Duration(0), 1, Direction::to_server, std::string("\0\0\0\1\2", 5));
  append_recorded(file, Duration(12'000'412'345), 2, Direction::to_client, "");
  EXPECT_EQ(file, kHeader + "0.000000000 1 > AAAAAQI=\n12.000412345 2 < \n");
}

TEST_F(RecordingTest, ComesBackWhateverThePieces) {
  const std::string file =
      kHeader + "0.000000001 1 > YWI=\n\n# a note\n" + kHeader + "3.500000000 9 < \n";
  for (std::size_t piece = 1; piece <= file.size(); ++piece) {
    const std::vector<RecordedBytes> records = read(file, piece);
    ASSERT_EQ(fault_, Fault::none);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].offset, Duration(1));
    EXPECT_EQ(records[0].bytes, "ab");
    EXPECT_EQ(records[0].direction, Direction::to_server);
    EXPECT_EQ(records[1].offset, Duration(3'500'000'000));
    EXPECT_EQ(records[1].connection, 9U);
    EXPECT_EQ(records[1].direction, Direction::to_client);
    EXPECT_EQ(records[1].run, 2U);
  }
}

TEST_F(RecordingTest, WhatIsNoneIsSaidWithItsLine) {
  EXPECT_EQ(fault_of(""), Fault::no_header);
  EXPECT_EQ(fault_of("0.000000000 1 > YWI=\n"), Fault::no_header);
  EXPECT_EQ(fault_of("netkit-frame-recording 2\n"), Fault::version);
  EXPECT_EQ(fault_of(kHeader + "0.000000000 1 > YWI="), Fault::cut_short);
  EXPECT_EQ(fault_of(kHeader + "0.000000000 1 > " + std::string(2000, 'A') + "\n"),
            Fault::too_long);
  for (const char* line : {"0.0 1 > YWI=", "1 > YWI=", "-1.000000000 1 > YWI=",
                           "0.000000000 0 > YWI=", "0.000000000 1 ? YWI=", "0.000000000 1 >YWI=",
                           "0.000000000 1 > Y", "99999999999.000000000 1 > YWI="}) {
    EXPECT_EQ(fault_of(kHeader + line + "\n"), Fault::bad_line) << line;
    EXPECT_EQ(text_, "line 2 is not a record (SECONDS CONNECTION > BASE64)");
  }
}

TEST_F(RecordingTest, WhatCameBeforeAFaultIsKept) {
  EXPECT_EQ(read(kHeader + "0.000000000 1 > YWI=\nrubbish\n0.000000000 1 > YWI=\n").size(), 1U);
}

}  // namespace
}  // namespace netkit
