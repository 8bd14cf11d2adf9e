#include "support/refusal.hpp"

#include <gtest/gtest.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>

namespace netkit {
namespace {

AddressSpec Client(std::string_view text, std::optional<std::uint16_t> port = std::nullopt) {
  return AddressSpec::parse(text, AddressRole::client, port);
}

AddressSpec Server(std::string_view text) {
  return AddressSpec::parse(text, AddressRole::server);
}

AddressSpec Spec(std::string host, std::uint16_t port, bool every_interface = false) {
  return {std::move(host), port, every_interface};
}

std::string refusal_of(std::string_view text, std::optional<std::uint16_t> port = std::nullopt) {
  const std::string why = test::refusal([&] { Client(text, port); });
  return why.empty() ? "accepted" : why;
}

TEST(AddressSpecParse, ReadsHostAndPort) {
  EXPECT_EQ(Client("example.org:80"), Spec("example.org", 80));
  EXPECT_EQ(Client("10.1.2.3:0"), Spec("10.1.2.3", 0));
  EXPECT_EQ(Client("[::1]:80"), Spec("::1", 80));
  EXPECT_EQ(Client("[fe80::1%lo]:80"), Spec("fe80::1%lo", 80));
  EXPECT_EQ(Client("localhost:http"), Spec("localhost", 80));
}

TEST(AddressSpecParse, APortAloneMeansLoopback) {
  EXPECT_EQ(Client("8080"), Spec("127.0.0.1", 8080));
  EXPECT_EQ(Server("8080"), Spec("127.0.0.1", 8080));
  EXPECT_EQ(Client("http"), Spec("127.0.0.1", 80));
}

TEST(AddressSpecParse, AColonAndAPortMeansEveryInterfaceOfAServer) {
  EXPECT_EQ(Server(":8080"), Spec("", 8080, true));
  EXPECT_EQ(Client(":8080"), Spec("", 8080, false));
  EXPECT_EQ(Server(":8080").to_string(), ":8080");
}

TEST(AddressSpecParse, UsesTheDefaultPortForAHostAlone) {
  EXPECT_EQ(Client("example.org", 6379), Spec("example.org", 6379));
  EXPECT_EQ(Client("[::1]", 6379), Spec("::1", 6379));
  EXPECT_EQ(Client("http", 6379), Spec("http", 6379));
  EXPECT_EQ(Client("7000", 6379), Spec("127.0.0.1", 7000));
}

TEST(AddressSpecParse, RefusesBareIpv6WithTheSpellingThatWorks) {
  EXPECT_EQ(refusal_of("::1:80"), "'::1:80' is ambiguous: write [::1]:80");
  EXPECT_EQ(refusal_of("::1"), "'::1' is ambiguous: write [::1]:PORT");
  EXPECT_EQ(refusal_of("::1", 7), "'::1' is ambiguous: write [::1]");
  EXPECT_EQ(refusal_of("fe80::1%lo:80"), "'fe80::1%lo:80' is ambiguous: write [fe80::1%lo]:80");
}

TEST(AddressSpecParse, RefusesBadPorts) {
  EXPECT_EQ(refusal_of("h:65536"), "'65536' is not a port (0 to 65535, or a service name)");
  EXPECT_EQ(refusal_of("h:-1"), "'-1' is not a port (0 to 65535, or a service name)");
  EXPECT_EQ(refusal_of("99999"), "'99999' is not a port (0 to 65535, or a service name)");
  EXPECT_EQ(refusal_of("h:nonesuch"), "'nonesuch' is not a port (0 to 65535, or a service name)");
  EXPECT_EQ(refusal_of("h:"), "'h:' has no port after the colon");
  EXPECT_EQ(refusal_of("example.org"), "'example.org' has no port (write example.org:PORT)");
  EXPECT_EQ(refusal_of("[::1]"), "'[::1]' has no port (write [::1]:PORT)");
}

TEST(AddressSpecParse, RefusesWhatIsNoAddress) {
  EXPECT_EQ(refusal_of("http://h:80/"),
            "'http://h:80/' is a URL, not an address (write HOST:PORT)");
  for (const char* text : {"", "a b:80", "a/b:80", "[::1", "[]:80", "[h]:80", "[127.0.0.1]:80",
                           "[::1]80", "a:b:c", "h\n:80", ":", "[::1%nonesuch0]:80", "a@h:80"}) {
    EXPECT_EQ(refusal_of(text).find("accepted"), std::string::npos) << text;
  }
}

TEST(AddressSpecParse, RefusesANumberAsAHost) {
  for (const char* text : {"9000:80", "3232235777:80"}) {
    EXPECT_NE(refusal_of(text).find("is a number, not a host (write HOST:PORT"), std::string::npos)
        << text;
  }
  EXPECT_EQ(Client("0:80").host, "0");
  EXPECT_EQ(Client("127.1:80").host, "127.1");
}

TEST(AddressSpecParse, RefusesWhatCanBeNoHost) {
  for (const char* text : {"7000,7001", "a,b:80"}) {
    EXPECT_EQ(refusal_of(text),
              "'" + std::string(text) + "' is a list, where a single address belongs");
  }
  EXPECT_EQ(refusal_of("-"), "'-' is not an address (write HOST:PORT, [IPV6]:PORT or PORT)");
}

TEST(AddressSpecText, CanBeTyped) {
  for (const char* text : {"localhost:80", "[::1]:80", ":80", "[fe80::1%lo]:80"}) {
    EXPECT_EQ(Client(text).to_string(), text);
  }
}

struct Taken {
  AddressSpec spec;
  std::vector<std::string> rest;
  friend bool operator==(const Taken&, const Taken&) = default;
};

Taken Take(std::vector<std::string> arguments) {
  Taken taken;
  taken.spec = take_address(arguments, AddressRole::client, "127.0.0.1:8080");
  taken.rest = std::move(arguments);
  return taken;
}

TEST(TakeAddress, TakesOneWordOrTwo) {
  EXPECT_EQ(Take({"h:80", "text"}), (Taken{Spec("h", 80), {"text"}}));
  EXPECT_EQ(Take({"h", "80", "text"}), (Taken{Spec("h", 80), {"text"}}));
  EXPECT_EQ(Take({"::1", "80"}), (Taken{Spec("::1", 80), {}}));
  EXPECT_EQ(Take({"[::1]", "http"}), (Taken{Spec("::1", 80), {}}));
  EXPECT_EQ(Take({"h:80", "81"}), (Taken{Spec("h", 80), {"81"}}));
}

TEST(TakeAddress, ANumberInFrontIsAPort) {
  EXPECT_EQ(Take({"8080", "99"}), (Taken{Spec("127.0.0.1", 8080), {"99"}}));
}

TEST(TakeAddress, AServiceNameInFrontOfAPortIsAHost) {
  EXPECT_EQ(Take({"http", "99"}), (Taken{Spec("http", 99), {}}));
  EXPECT_EQ(Take({"http", "hello"}), (Taken{Spec("127.0.0.1", 80), {"hello"}}));
}

TEST(TakeAddress, ReadsTheFallbackWhenThereIsNothing) {
  EXPECT_EQ(Take({}), (Taken{Spec("127.0.0.1", 8080), {}}));
}

TEST(TakeAddresses, TakesAListOrWhatOneAddressMayBe) {
  using List = std::vector<AddressSpec>;
  std::vector<std::string> arguments{"a:1,[::1]:2,3", "text"};
  EXPECT_EQ(take_addresses(arguments), (List{Spec("a", 1), Spec("::1", 2), Spec("127.0.0.1", 3)}));
  EXPECT_EQ(arguments, std::vector<std::string>{"text"});
  arguments = {"h", "80"};
  EXPECT_EQ(take_addresses(arguments), List{Spec("h", 80)});
  EXPECT_EQ(take_addresses(arguments, "a:1,b:2"), (List{Spec("a", 1), Spec("b", 2)}));
  for (const char* wrong : {"a:1,", ",a:1", "a:1,,b:2", "a:1,b"}) {
    arguments = {wrong};
    EXPECT_THROW(take_addresses(arguments), UsageError) << wrong;
  }
}

TEST(TakeAddress, RefusesAHostWithoutAPort) {
  EXPECT_THROW(Take({"example.org", "hello"}), UsageError);
  EXPECT_THROW(Take({"example.org"}), UsageError);
}

TEST(Transports, HavePrefixesWhereTheyMay) {
  const auto any = [](std::string_view text) {
    return AddressSpec::parse(text, AddressRole::any_client);
  };
  EXPECT_EQ(any("udp:h:7").transport, Transport::udp);
  EXPECT_EQ(any("udp:h:7").to_string(), "udp:h:7");
  EXPECT_EQ(any("tcp:h:7"), any("h:7"));
  EXPECT_EQ(any("unix:/a b").path, "/a b");
  EXPECT_EQ(any("[::1]:7").transport, Transport::tcp);
  EXPECT_TRUE(AddressSpec::parse("udp::7", AddressRole::any_server).every_interface);
  EXPECT_THROW(AddressSpec::parse("unix:/a", AddressRole::client), UsageError);
  EXPECT_THROW(any("unix:"), UsageError);
  EXPECT_THROW(any("unix:" + std::string(108, 'a')), UsageError);
}

TEST(Transports, ASerialLineHasSettings) {
  const auto line = [](std::string_view text) {
    return AddressSpec::parse(text, AddressRole::any_client).to_string();
  };
  EXPECT_EQ(line("serial:/dev/a"), "serial:/dev/a,115200,8n1");
  EXPECT_EQ(line("serial:/dev/a,7E2,rs485,300"), "serial:/dev/a,300,7e2,rs485");
  for (const char* wrong : {"serial:", "serial:/a,", "serial:/a,0", "serial:/a,9n1",
                            "serial:/a,8x1", "serial:/a,8n3", "serial:/a,-1"}) {
    EXPECT_THROW(line(wrong), UsageError) << wrong;
  }
}

TEST(Transports, TheSettingsOfALineDoNotEndItInAList) {
  const auto list =
      AddressSpec::parse_list("serial:/a,9600,8e1,h:1,serial:/b,unix:/c", AddressRole::any_client);
  std::string all;
  for (const AddressSpec& spec : list) all += spec.to_string() + " ";
  EXPECT_EQ(all, "serial:/a,9600,8e1 h:1 serial:/b,115200,8n1 unix:/c ");
  EXPECT_THROW(AddressSpec::parse_list("a:1,", AddressRole::client), UsageError);
}

}  // namespace
}  // namespace netkit
