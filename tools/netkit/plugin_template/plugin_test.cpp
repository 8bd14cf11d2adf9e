// The actions, on a host, an output and an event loop of the test's own.
#include "protocol.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/net/udp_socket.hpp>
#include <netkit/plugin/fake_host.hpp>
#include <netkit/plugin/plugin.hpp>
#include <netkit/util/error.hpp>

namespace skeleton_plugin {

std::vector<netkit::ActionDef> make_actions();

namespace {

TEST(Serve, AnswersAndPrintsAndCounts) {
  const std::vector<netkit::ActionDef> actions = make_actions();
  const std::vector<std::string> words{"127.0.0.1:0", "--count", "1"};
  netkit::test::FakeHost host(actions.front(), words);
  const auto serve = actions.front().make();
  serve->configure(host.values());

  netkit::UdpSocket client(AF_INET);
  host.loop().post([&] {  // once it listens
    const std::string address = host.listening.front().substr(std::string("udp ").size());
    client.connect(*netkit::Endpoint::parse(address));
    ASSERT_TRUE(client.send(make_question("hello")).ok());
  });
  EXPECT_EQ(serve->run(host), netkit::ExitStatus::done);

  char answer[64];
  const netkit::IoResult got = client.receive(answer, sizeof answer, nullptr);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(std::string(answer, got.count), "=HELLO");
  ASSERT_EQ(host.fake_output.records.size(), 1U);
  EXPECT_EQ(host.fake_output.records.front().payload, "hello");
}

TEST(Ask, NeedsAnAddressAndAText) {
  const std::vector<netkit::ActionDef> actions = make_actions();
  const std::vector<std::string> words{"127.0.0.1:7700"};
  EXPECT_THROW(netkit::parse_words(actions.back(), words), netkit::UsageError);
}

}  // namespace
}  // namespace skeleton_plugin
