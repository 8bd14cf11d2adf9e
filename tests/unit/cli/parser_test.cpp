#include "unit/cli/parse_fixture.hpp"

#include <gmock/gmock.h>

namespace netkit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(ParseTest, OptionsAndArgumentsStandInAnyOrder) {
  const Values values = read("--udp :7 -s 5 hello --count 3 world");
  EXPECT_TRUE(values.flag("udp"));
  EXPECT_EQ(values.size("size"), 5U);
  EXPECT_EQ(values.integer("count"), 3);
  EXPECT_THAT(values.arguments(), ElementsAre(":7", "hello", "world"));
}

TEST_F(ParseTest, TwoDashesEndOptions) {
  EXPECT_THAT(read(":7 -- --udp -x").arguments(), ElementsAre(":7", "--udp", "-x"));
  EXPECT_THAT(read(":7 -- --").arguments(), ElementsAre(":7", "--"));
}

TEST_F(ParseTest, LettersMayShareADash) {
  const Values values = read("-vvc5 :7");
  EXPECT_EQ(values.count("verbose"), 2);
  EXPECT_EQ(values.integer("count"), 5);
  EXPECT_EQ(read("-v -v :7 --verbose").count("verbose"), 3);
}

TEST_F(ParseTest, AValueMayBeAttached) {
  EXPECT_EQ(read("-c5 :7").integer("count"), 5);
  EXPECT_EQ(read("--count=5 :7").integer("count"), 5);
  EXPECT_EQ(read("--text=a=b :7").text("text"), "a=b");
  EXPECT_TRUE(read("--text= :7").has("text"));
  EXPECT_EQ(read("--text= :7").text("text"), "");
}

TEST_F(ParseTest, ADashAloneAndNegativeNumbersAreArguments) {
  EXPECT_THAT(read(":7 - -5 -.5").arguments(), ElementsAre(":7", "-", "-5", "-.5"));
  EXPECT_EQ(read("--text -5 :7").text("text"), "-5");
  EXPECT_EQ(read("--text --unheard :7").text("text"), "--unheard");
  EXPECT_THAT(refusal("--flows -1 :7"), HasSubstr("--flows: '-1' is too small (at least 1)"));
}

TEST_F(ParseTest, AnOptionIsNotTheValueOfTheOneBefore) {
  EXPECT_EQ(refusal("--text --udp :7"),
            "--text needs a value (TEXT), and '--udp' is an option; write --text=--udp if it is "
            "the value");
  EXPECT_EQ(read("--text=--udp :7").text("text"), "--udp");
  EXPECT_EQ(refusal(":7 --text"), "--text needs a value (TEXT)");
  EXPECT_EQ(refusal(":7 -c"), "-c needs a value (N)");
}

TEST_F(ParseTest, AnOptionalDurationTakesOnlyWhatFollowsTheEqualsSign) {
  EXPECT_THAT(read("--stats :7 a").arguments(), ElementsAre(":7", "a"));
  const Values timed = read("--stats 7 a");
  EXPECT_EQ(timed.duration("stats"), kNever);
  EXPECT_THAT(timed.arguments(), ElementsAre("7", "a"));
  EXPECT_TRUE(read("--stats :7").has("stats"));
  EXPECT_EQ(read("--stats :7").duration("stats"), kNever);
  EXPECT_FALSE(read(":7").has("stats"));
  EXPECT_EQ(read(":7 --stats=2m").duration("stats"), std::chrono::minutes(2));
  EXPECT_THAT(refusal(":7 --stats=x"), HasSubstr("--stats: 'x' is not a duration"));
}

TEST_F(ParseTest, AValueThatMayBeLeftOutFollowsAnEqualsSignAlone) {
  EXPECT_FALSE(read(":7").given("web"));
  EXPECT_TRUE(read("--web :7").given("web"));
  EXPECT_EQ(read("--web :7").text("web"), "");
  EXPECT_EQ(read(":7 --web=:8080").text("web"), ":8080");
  EXPECT_THAT(refusal(":7 --web=nowhere"), HasSubstr("--web: 'nowhere' has no port"));
}

TEST_F(ParseTest, TheLastOfARepeatedOptionWins) {
  EXPECT_EQ(read("--wait 1s :7 --wait 3s").duration("wait"), std::chrono::seconds(3));
}

TEST_F(ParseTest, ARepeatableOptionKeepsAll) {
  EXPECT_THAT(read("--allow ::1 :7 --allow 10.0.0.0/8").texts("allow"),
              ElementsAre("::1", "10.0.0.0/8"));
}

TEST_F(ParseTest, ValuesOfAKindThatTheyAreNotSayWhatWouldBeRight) {
  EXPECT_EQ(refusal(":7 --wait 5x"),
            "--wait: '5x' is not a duration (write 500ms, 5s, 2m, 1.5h or none)");
  EXPECT_EQ(refusal(":7 -s 1x"), "--size: '1x' is not a size (write 1200, 64k, 1M or 2G)");
  EXPECT_EQ(refusal(":7 -s 65508"), "--size: '65508' is too large (at most 65507)");
  EXPECT_EQ(refusal(":7 --flows 1.5"), "--flows: '1.5' is not a whole number");
  EXPECT_EQ(refusal(":7 --flows 101"), "--flows: '101' is too large (at most 100)");
  EXPECT_EQ(refusal(":7 --flows 99999999999999999999"),
            "--flows: '99999999999999999999' is not a whole number");
  EXPECT_EQ(refusal(":7 --mode skipp"),
            "--mode: 'skipp' is not skip, wait or drop; did you mean 'skip'?");
  EXPECT_EQ(refusal(":7 --max-loss 101%"),
            "--max-loss: '101%' is not a percentage (write 5%, 0.5% or 5)");
  EXPECT_EQ(
      refusal(":7 --allow 10.0.0.0/33"),
      "--allow: '10.0.0.0/33' is not a network (write 192.0.2.0/24, 2001:db8::/32 or an address)");
  EXPECT_EQ(refusal(":7 --reconnect soon"),
            "--reconnect: 'soon' is not never, forever or a whole number");
  EXPECT_EQ(refusal(":7 --from pipe:x"),
            "--from: 'pipe:x' is not a source (write -, file:PATH, exec:COMMAND, udp:ADDRESS, "
            "tcp:ADDRESS, unix:PATH or STORE/STREAM)");
  EXPECT_THAT(refusal(":7 --to file:"), HasSubstr("--to: 'file:' is not a sink"));
  EXPECT_THAT(refusal(":7 --to udp:::1:80"), HasSubstr("[::1]:80"));
  EXPECT_EQ(status_, ExitStatus::usage);
}

TEST_F(ParseTest, ValuesAreReadInTheirKind) {
  const Values values = read(
      ":7 --max-loss 0.5% --reconnect 3 -s 4k --wait none"
      " -s 1k --mode drop");
  EXPECT_DOUBLE_EQ(values.number("max-loss"), 0.5);
  EXPECT_EQ(values.integer("reconnect"), 3);
  EXPECT_EQ(values.size("size"), 1024U);
  EXPECT_EQ(values.duration("wait"), kNever);
  EXPECT_EQ(read(":7 --reconnect forever").text("reconnect"), "forever");
}

TEST_F(ParseTest, UnknownOptionsNameTheNearest) {
  EXPECT_EQ(refusal(":7 --wiat 5s"), "unknown option '--wiat'; did you mean '--wait'?");
  EXPECT_EQ(refusal(":7 --zzzzzz"), "unknown option '--zzzzzz'");
  EXPECT_EQ(refusal(":7 -Z"), "unknown option '-Z'");
  EXPECT_EQ(refusal(":7 -json"), "unknown option '-j'; did you mean '--json'?");
  EXPECT_EQ(refusal(":7 -é"), "unknown option '-é'");
  EXPECT_EQ(status_, ExitStatus::usage);
}

TEST_F(ParseTest, AbbreviationsAreUnknown) {
  EXPECT_THAT(refusal(":7 --coun 5"), HasSubstr("unknown option '--coun'"));
}

TEST_F(ParseTest, FlagsTakeNoValue) {
  EXPECT_EQ(refusal(":7 --udp=yes"), "--udp takes no value");
}

TEST_F(ParseTest, ArgumentsAreCounted) {
  EXPECT_EQ(refusal("--udp"), "missing ADDRESS, as in 'send ADDRESS [TEXT…]'");
  EXPECT_EQ(refusal("--udp --stats"), "missing ADDRESS, as in 'send ADDRESS [TEXT…]'");
  action_.arguments.pop_back();
  EXPECT_EQ(refusal(":7"), "");
  EXPECT_EQ(refusal("localhost 7"), "");
  EXPECT_EQ(refusal("localhost 7 x"), "unexpected argument 'x' (it takes ADDRESS)");
  EXPECT_EQ(refusal(":7 :8"), "unexpected argument ':8' (it takes ADDRESS)");
  EXPECT_THAT(refusal("::1:80"), HasSubstr("[::1]:80"));
  action_.arguments.clear();
  EXPECT_EQ(refusal("x"), "unexpected argument 'x' (it takes none)");
}

TEST_F(ParseTest, ContradictionsAreRefused) {
  EXPECT_EQ(refusal(":7 --json --raw"), "--json and --raw cannot be combined");
  EXPECT_EQ(refusal(":7 -q -v"), "--quiet and --verbose cannot be combined");
  environment_["NETKIT_ECHO_RAW"] = "1";
  const Values values = read(":7 --json");
  EXPECT_TRUE(values.flag("json"));
  EXPECT_FALSE(values.flag("raw"));
}

TEST_F(ParseTest, OptionsThatExcludeEachOtherAreRefusedOrTheStrongerHolds) {
  EXPECT_EQ(refusal(":7 --udp --tcp"), "--tcp and --udp cannot be combined");
  EXPECT_EQ(status_, ExitStatus::usage);
  files_ = {{"/f", "[echo]\nudp\n"}};
  EXPECT_FALSE(read(":7 --tcp").flag("udp"));
  EXPECT_TRUE(read(":7 --tcp").flag("tcp"));
  environment_["NETKIT_ECHO_UDP"] = "no";
  EXPECT_TRUE(read(":7 --tcp").flag("tcp")) << "what was taken back excludes nothing";
}

TEST_F(ParseTest, AnExcludedOptionIsWhatItIsByDefault) {
  action_.options.push_back({.name = "now", .excludes = {"wait"}});
  environment_["NETKIT_ECHO_WAIT"] = "9s";
  const Values values = read(":7 --now");
  EXPECT_EQ(values.text("wait"), "1s");
  EXPECT_FALSE(values.given("wait"));
}

TEST_F(ParseTest, OptionsThatNeedOthersAreRefusedWithoutThem) {
  EXPECT_EQ(refusal(":7 --cert a"), "--cert needs --key");
  EXPECT_EQ(refusal(":7 --key a"), "--key needs --cert");
  EXPECT_EQ(refusal(":7 --key a --cert b"), "");
  environment_["NETKIT_ECHO_KEY"] = "a";
  EXPECT_EQ(refusal(":7"), "NETKIT_ECHO_KEY: --key needs --cert");
  EXPECT_EQ(refusal(":7 --cert b"), "");
}

TEST_F(ParseTest, RangesHoldForEveryKind) {
  EXPECT_EQ(refusal(":7 -s 1"), "--size: '1' is too small (at least 2)");
  EXPECT_EQ(refusal(":7 --lease 99ms"), "--lease: '99ms' is too short (at least 100ms)");
  EXPECT_EQ(refusal(":7 --lease 100ms"), "");
  EXPECT_EQ(refusal(":7 --lease none"), "--lease: 'none' is too long (at most 1h)");
  EXPECT_EQ(refusal(":7 --pace 0"), "--pace: '0' is too short (more than 0)");
  EXPECT_EQ(refusal(":7 --pace none"), "");
}

TEST_F(ParseTest, ArgumentsGoByTheirNames) {
  const Values values = read("localhost 7 a b");
  EXPECT_EQ(values.address("ADDRESS"), (AddressSpec{"localhost", 7}));
  EXPECT_THAT(values.texts("TEXT"), ElementsAre("a", "b"));
  EXPECT_FALSE(read(":7").has("TEXT"));
  EXPECT_THAT(read(":7").texts("TEXT"), IsEmpty());
  EXPECT_THROW(values.text("FILE"), PluginError);
}

TEST_F(ParseTest, AnArgumentThatIsLeftOutHasItsDefault) {
  action_.arguments = {{.name = "ADDRESS",
                        .kind = ValueKind::listen_address,
                        .default_value = ":8086",
                        .optional = true}};
  EXPECT_EQ(read("").address("ADDRESS"), (AddressSpec{"", 8086, true}));
  EXPECT_FALSE(read("").given("ADDRESS"));
  EXPECT_EQ(read(":7").address("ADDRESS"), (AddressSpec{"", 7, true}));
  action_.arguments.front().kind = ValueKind::address;
  EXPECT_EQ(read(":7").address("ADDRESS"), (AddressSpec{"", 7, false}));
}

TEST_F(ParseTest, ARepeatableAddressMayBeTwoWordsEachTime) {
  action_.arguments = {
      {.name = "PEER", .kind = ValueKind::address, .optional = true, .repeatable = true}};
  EXPECT_THAT(read("a 1 b:2 ::1 3").addresses("PEER"),
              ElementsAre(AddressSpec{"a", 1}, AddressSpec{"b", 2}, AddressSpec{"::1", 3}));
}

TEST_F(ParseTest, AListOfAddressesHasCommas) {
  action_.arguments = {{.name = "ADDRESS", .kind = ValueKind::addresses}};
  EXPECT_THAT(read("a:1,[::1]:2").addresses("ADDRESS"),
              ElementsAre(AddressSpec{"a", 1}, AddressSpec{"::1", 2}));
  EXPECT_THAT(read("a 1").addresses("ADDRESS"), ElementsAre(AddressSpec{"a", 1}));
  EXPECT_EQ(refusal(""), "missing ADDRESS[,ADDRESS…], as in 'send ADDRESS[,ADDRESS…]'");
  EXPECT_EQ(refusal("a:1,"), "ADDRESS: the list has an empty address (write ADDRESS,ADDRESS)");
  EXPECT_THAT(refusal("a:1,b 2"), HasSubstr("'b' has no port"));
}

class ClientAddressTest : public ParseTest {
 protected:
  ClientAddressTest() {
    action_.common |= kClientOptions;
    action_.arguments = {{.name = "ADDRESS",
                          .kind = ValueKind::addresses,
                          .default_value = "127.0.0.1:8080",
                          .optional = true}};
  }
  AddressSpec address(const std::string& line) { return read(line).addresses("ADDRESS").front(); }
};

TEST_F(ClientAddressTest, TheFamilyIsAskedFor) {
  EXPECT_EQ(address("a:1").family, AddressFamily::any);
  EXPECT_EQ(address("-4 a:1").family, AddressFamily::v4);
  EXPECT_EQ(address("-6 a:1").family, AddressFamily::v6);
  EXPECT_EQ(refusal("-4 -6 a:1"), "--ipv4 and --ipv6 cannot be combined");
}

TEST_F(ClientAddressTest, TheFamilyIsThatOfEachOfSeveral) {
  action_.arguments.front().kind = ValueKind::address;
  action_.arguments.front().repeatable = true;
  const auto addresses = read("-6 a:1 2").addresses("ADDRESS");
  ASSERT_EQ(addresses.size(), 2u);
  EXPECT_EQ(addresses[0].family, AddressFamily::v6);
  EXPECT_EQ(addresses[1].host, "::1");
}

TEST_F(ClientAddressTest, APortAloneIsLoopbackOfTheFamily) {
  EXPECT_EQ(address("-6").host, "::1");
  EXPECT_EQ(address("-6 80").host, "::1");
  EXPECT_EQ(address("-6 127.0.0.1:80").host, "127.0.0.1") << "which resolve() refuses";
}

TEST_F(ClientAddressTest, TheSourceIsAnAddressAPortOrBoth) {
  const auto sources = [this](const std::string& bind) {
    std::string text;
    for (const Endpoint& one : address("a:1 --bind " + bind).sources) text += one.to_string() + " ";
    return text;
  };
  EXPECT_EQ(sources("192.0.2.1"), "192.0.2.1:0 ");
  EXPECT_EQ(sources("[::1]:5000"), "[::1]:5000 ");
  EXPECT_EQ(sources(":5000"), "0.0.0.0:5000 [::]:5000 ");
  EXPECT_EQ(sources("5000"), "0.0.0.0:5000 [::]:5000 ");
  EXPECT_EQ(sources(":5000 -6"), "[::]:5000 ");
}

TEST_F(ClientAddressTest, TheSourceSaysTheFamily) {
  EXPECT_EQ(address("a:1 --bind 192.0.2.1").family, AddressFamily::v4);
  EXPECT_EQ(address("a:1 --bind :5000").family, AddressFamily::any);
  EXPECT_THROW(address("a:1 -6 --bind 192.0.2.1"), UsageError);
  EXPECT_EQ(refusal("a:1 --bind nobody"),
            "--bind: 'nobody' is not an address of this machine (write 192.0.2.1, [2001:db8::1] or "
            ":PORT)");
}

TEST_F(ParseTest, WordsAloneAreEnoughForATest) {
  EXPECT_EQ(parse_words(action_, words_of(":7 --wait 3s")).duration("wait"),
            std::chrono::seconds(3));
}

TEST_F(ParseTest, OptionBeatsEnvironmentBeatsFileBeatsDefault) {
  EXPECT_EQ(read(":7").text("wait"), "1s");
  EXPECT_EQ(read(":7").origin("wait"), Values::Origin::default_value);
  files_ = {{"/user", "[echo]\nwait = 2s\n"}, {"/system", "[echo]\nwait = 9s\nflows = 4\n"}};
  EXPECT_EQ(read(":7").text("wait"), "2s");
  EXPECT_EQ(read(":7").find("wait")->where, "/user:2");
  EXPECT_EQ(read(":7").integer("flows"), 4);
  environment_["NETKIT_ECHO_WAIT"] = "3s";
  EXPECT_EQ(read(":7").text("wait"), "3s");
  EXPECT_EQ(read(":7").find("wait")->where, "NETKIT_ECHO_WAIT");
  EXPECT_EQ(read(":7 -w 4s").text("wait"), "4s");
  EXPECT_EQ(read(":7 -w 4s").origin("wait"), Values::Origin::command_line);
}

TEST_F(ParseTest, OnlyDeclaredOptionsComeFromTheEnvironment) {
  environment_["NETKIT_ECHO_THREADS"] = "nonsense";
  environment_["NETKIT_CHAT_WAIT"] = "nonsense";
  environment_["NETKIT_ECHO_MAX_LOSS"] = "3%";
  environment_["NETKIT_ECHO_FLOWS"] = "";
  const Values values = read(":7");
  EXPECT_DOUBLE_EQ(values.number("max-loss"), 3);
  EXPECT_FALSE(values.declared("threads"));
  EXPECT_FALSE(values.has("flows"));
}

TEST_F(ParseTest, AnInvalidVariableIsNamed) {
  environment_["NETKIT_ECHO_FLOWS"] = "many";
  EXPECT_EQ(refusal(":7"), "NETKIT_ECHO_FLOWS: 'many' is not a whole number");
  EXPECT_EQ(status_, ExitStatus::usage);
}

TEST_F(ParseTest, FlagsFromOutsideAreCountsOrYesAndNo) {
  environment_["NETKIT_ECHO_VERBOSE"] = "2";
  environment_["NETKIT_ECHO_UDP"] = "no";
  EXPECT_EQ(read(":7").count("verbose"), 2);
  EXPECT_FALSE(read(":7").flag("udp"));
  EXPECT_EQ(read(":7 -v").count("verbose"), 1);
  environment_["NETKIT_ECHO_UDP"] = "perhaps";
  EXPECT_EQ(refusal(":7"),
            "NETKIT_ECHO_UDP: 'perhaps' is not yes or no (write true, false or a count)");
}

TEST_F(ParseTest, FilesAreCheckedWithFileAndLine) {
  files_ = {{"/f", "# mine\n[echo]\nwaitt = 2s\n"}};
  EXPECT_EQ(refusal(":7"), "/f:3: echo has no option 'waitt'; did you mean 'wait'?");
  EXPECT_EQ(status_, ExitStatus::config);
  files_ = {{"/f", "[eco]\nwait = 2s\n"}};
  EXPECT_EQ(refusal(":7"), "/f:1: there is no command 'eco'");
  files_ = {{"/f", "[echo]\nwait = x\n"}};
  EXPECT_THAT(refusal(":7 -w 1s"), HasSubstr("/f:2: wait: 'x' is not a duration"));
  files_ = {{"/f", "[echo]\nconfig = x\n"}};
  EXPECT_EQ(refusal(":7"), "/f:2: --config can only be given on the command line");
  files_ = {{"/f", "[chat]\nanything = x\n[echo]\nthreads = 2\n"}};
  EXPECT_EQ(refusal(":7"), "") << "another action's option is no mistake";
}

TEST_F(ParseTest, AFileGivesRepeatableOptionsALineEach) {
  files_ = {{"/f", "[echo]\nallow = ::1\nallow = 10.0.0.0/8\nwait = 1s\nwait = 2s\n"}};
  EXPECT_THAT(read(":7").texts("allow"), ElementsAre("::1", "10.0.0.0/8"));
  EXPECT_THAT(read(":7").texts("wait"), ElementsAre("2s"));
  EXPECT_THAT(read(":7 --allow ::2").texts("allow"), ElementsAre("::2"));
}

TEST_F(ParseTest, ConfigNamesTheFile) {
  read(":7 --config /some/file");
  EXPECT_EQ(named_, "/some/file");
  read(":7");
  EXPECT_THAT(named_, IsEmpty());
}

TEST_F(ParseTest, HelpIsWishedWhateverIsMissing) {
  const OptionSet options = effective_options(action_);
  EXPECT_EQ(help_wish(options, words_of("--bogus --help")), HelpWish::full);
  EXPECT_EQ(help_wish(options, words_of("-h")), HelpWish::brief);
  EXPECT_EQ(help_wish(options, words_of(":7 -- --help")), HelpWish::none);
}

TEST_F(ParseTest, AskingForWhatIsNotDeclaredIsAFaultOfThePlugin) {
  const Values values = read(":7 --text soon");
  EXPECT_THROW(values.text("nothing"), PluginError);
  EXPECT_THROW(values.duration("text"), PluginError);
  EXPECT_FALSE(values.declared("nothing"));
}

TEST(EnvironmentName, IsTheCommandAndTheOptionInCapitals) {
  EXPECT_EQ(environment_name("echo", "connect-timeout"), "NETKIT_ECHO_CONNECT_TIMEOUT");
}

}  // namespace
}  // namespace netkit
