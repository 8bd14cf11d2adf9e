#include "record/output_impl.hpp"
#include "support/record_builder.hpp"
#include "support/temp_folder.hpp"
#include "support/udp_fixture.hpp"

#include <cstdlib>
#include <string>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include <netkit/plugin/fake_host.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

using test::FakeHost;
using test::hear;
using test::open_udp;
using test::RecordBuilder;
using test::TempFolder;
using test::texts;

class OutputTest : public testing::Test {
 protected:
  OutputTest() {
    RecordDef datagram{"datagram", "a datagram"};
    datagram.layout = "{peer} {text}";
    definitions_.push_back(datagram);
  }

  OutputImpl& open(std::vector<std::string> to, Format format = Format::text,
                   std::string_view record_template = {}) {
    OutputOptions options;
    options.to = std::move(to);
    options.format = format;
    if (!record_template.empty()) {
      options.record_template = Template::parse(record_template, "--template");
    }
    output_ = std::make_unique<OutputImpl>(
        options, OutputContext{host_.loop(), host_.log(), definitions_,
                               [this](ExitStatus status, std::string error) {
                                 host_.finish(status, std::move(error));
                               },
                               [] {}});
    return *output_;
  }
  void emit(std::string_view text) {
    output_->emit(RecordBuilder("datagram").payload(text).peer("127.0.0.1:9").record());
  }
  void turn() { host_.loop().run_once(Duration::zero()); }
  std::uint64_t total(const std::string& name) const {
    Totals totals;
    output_->add_totals(totals);
    for (const Totals::Entry& entry : totals.entries()) {
      if (entry.name == name) return std::get<std::uint64_t>(entry.value);
    }
    ADD_FAILURE() << "no " << name;
    return 0;
  }

  FakeHost host_;
  TempFolder folder_;
  std::vector<RecordDef> definitions_;
  std::unique_ptr<OutputImpl> output_;
};

TEST_F(OutputTest, AppendsToAFileWhatStdoutWouldGet) {
  folder_.write("log", "before\n");
  open({"file:" + folder_ / "log"});
  emit("hi");
  EXPECT_EQ(folder_.read("log"), "before\n");
  turn();
  EXPECT_EQ(folder_.read("log"), "before\n127.0.0.1:9 hi\n");
}

TEST_F(OutputTest, MakesFilesPrivate) {
  open({"file:" + folder_ / "new"});
  struct stat info = {};
  ASSERT_EQ(::stat((folder_ / "new").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(OutputTest, WritesJsonAndItsEndToAFile) {
  open({"file:" + folder_ / "log"}, Format::json).emit_end("{\"type\":\"end\"}\n");
  emit("hi");
  turn();
  EXPECT_TRUE(folder_.read("log").starts_with("{\"type\":\"end\"}\n{\"type\":\"datagram\","));
}

TEST_F(OutputTest, AppliesTheTemplateToFilesAlsoInJsonMode) {
  open({"file:" + folder_ / "log"}, Format::json, "<{text}>").emit_end("{}\n");
  emit("a\n");
  turn();
  EXPECT_EQ(folder_.read("log"), "<a>\n");
}

TEST_F(OutputTest, WritesRawBytesToAFile) {
  open({"file:" + folder_ / "log"}, Format::raw);
  emit("a\xff");
  emit("b\n");
  turn();
  EXPECT_EQ(folder_.read("log"),
            "a\xff"
            "b\n");
}

TEST_F(OutputTest, SaysThatAFileIsFull) {
  open({"file:/dev/full"});
  emit("hi");
  turn();
  EXPECT_EQ(host_.finished, ExitStatus::output);
  EXPECT_EQ(host_.error, "cannot write to '/dev/full': no space left on device");
}

TEST_F(OutputTest, RefusesAFileThatCannotBeOpened) {
  try {
    open({"file:" + folder_ / "none/log"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::output);
  }
}

TEST_F(OutputTest, SendsThePayloadToAUdpAddress) {
  UdpSocket peer = open_udp();
  open({"udp:" + peer.local().to_string()});
  emit("a\n");
  emit("");
  emit("b\xff");
  turn();
  EXPECT_EQ(texts(hear(peer, 3)), (std::vector<std::string>{"a\n", "", "b\xff"}));
  EXPECT_EQ(total("to_udp_sent"), 3U);
  EXPECT_EQ(total("to_udp_dropped"), 0U);
}

TEST_F(OutputTest, SendsTheTemplateUnescapedAndWithoutNewline) {
  UdpSocket peer = open_udp();
  open({"udp:" + peer.local().to_string()}, Format::json, "{peer}: {text}");
  emit("\x1b");
  turn();
  EXPECT_EQ(texts(hear(peer, 1)), (std::vector<std::string>{"127.0.0.1:9: \x1b"}));
}

TEST_F(OutputTest, CountsForEachSinkOfAKind) {
  UdpSocket first = open_udp();
  UdpSocket second = open_udp();
  open({"udp:" + first.local().to_string(), "udp:" + second.local().to_string()});
  emit("x");
  turn();
  EXPECT_EQ(hear(second, 1).size(), 1U);
  EXPECT_EQ(total("to_udp_sent"), 1U);
  EXPECT_EQ(total("to_udp_2_sent"), 1U);
}

TEST_F(OutputTest, DropsWhatNoDatagramHolds) {
  UdpSocket peer = open_udp();
  open({"udp:" + peer.local().to_string()});
  emit(std::string(65508, 'x'));
  emit(std::string(65507, 'x'));
  turn();
  EXPECT_EQ(hear(peer, 1).size(), 1U);
  EXPECT_EQ(total("to_udp_dropped"), 1U);
}

TEST_F(OutputTest, SendsMoreThanItsBufferHoldsInOneTurn) {
  UdpSocket peer = open_udp();
  open({"udp:" + peer.local().to_string()});
  for (int i = 0; i < 400; ++i) emit(std::to_string(i) + std::string(1000, '.'));
  turn();
  const auto heard = hear(peer, 400);
  ASSERT_EQ(heard.size(), 400U);
  EXPECT_EQ(heard.back().text, "399" + std::string(1000, '.'));
}

TEST_F(OutputTest, CountsWhatTheKernelRefuses) {
  open({"udp:127.0.0.1:0"});
  emit("x");
  turn();
  EXPECT_EQ(total("to_udp_dropped"), 1U);
}

TEST_F(OutputTest, RefusesAGroupThatIsNone) {
  EXPECT_THROW(open({"multicast:127.0.0.1:9"}), UsageError);
  EXPECT_THROW(open({"broadcast:[::1]:9"}), UsageError);
  EXPECT_THROW(open({"carrier:pigeon"}), UsageError);
  EXPECT_THROW(open({"udp:"}), UsageError);
}

TEST_F(OutputTest, RunsACommandPerRecord) {
  open({"exec:cat >> " + folder_ / "log" +
        "; echo \"/$NETKIT_TEXT/$NETKIT_PEER/$NETKIT_TYPE\" >> " + folder_ / "log"});
  emit("$(reboot)");
  EXPECT_TRUE(output_->busy());
  ASSERT_TRUE(host_.run_until([&] { return !output_->busy(); }));
  EXPECT_EQ(folder_.read("log"), "$(reboot)/$(reboot)/127.0.0.1:9/datagram\n");
  EXPECT_EQ(total("to_exec_sent"), 1U);
  EXPECT_EQ(total("to_exec_failed"), 0U);
}

TEST_F(OutputTest, GivesACommandFieldsAndALongTextOnStdinOnly) {
  open({"exec:wc -c >> " + folder_ / "log" + "; echo \"$NETKIT_NAME,${NETKIT_TEXT-none}\" >> " +
        folder_ / "log"});
  output_->emit(RecordBuilder("datagram")
                    .payload(std::string(500'000, 'x'))
                    .field("name", std::string_view("ann"))
                    .record());
  ASSERT_TRUE(host_.run_until([&] { return !output_->busy(); }));
  EXPECT_EQ(folder_.read("log"), "500000\nann,none\n");
}

TEST_F(OutputTest, CountsCommandsThatFail) {
  open({"exec:exit 3"});
  emit("x");
  ASSERT_TRUE(host_.run_until([&] { return !output_->busy(); }));
  EXPECT_EQ(total("to_exec_failed"), 1U);
}

TEST_F(OutputTest, QueuesABoundedNumberOfCommands) {
  open({"exec:cat >/dev/null; read wait < " + folder_ / "fifo"});
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  for (int i = 0; i < 1100; ++i) emit("x");
  EXPECT_EQ(total("to_exec_sent"), 8U);
  EXPECT_EQ(total("to_exec_dropped"), 1100U - 8 - 1000);
}

TEST_F(OutputTest, DropsWhatWaitsForCommandsThatCannotBeStarted) {
  open({"exec:cat >/dev/null"});
  for (int i = 0; i < 28; ++i) emit("x");
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nonexistent", 1);  // where sh is not
  const bool ended = host_.run_until([&] { return !output_->busy(); });
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_TRUE(ended);
  EXPECT_EQ(total("to_exec_sent"), 8U);
  EXPECT_EQ(total("to_exec_dropped"), 20U);
}

TEST_F(OutputTest, IsWantedWhenAnySinkTakesRecords) {
  EXPECT_TRUE(open({"-"}).wanted());
  OutputOptions options;
  options.hide_on_stdout = true;
  const OutputImpl hidden(options, OutputContext{host_.loop(), host_.log(), definitions_, {}, {}});
  EXPECT_FALSE(hidden.wanted());
}

}  // namespace
}  // namespace netkit
