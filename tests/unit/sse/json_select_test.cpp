#include <sse/json_select.hpp>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <netkit/util/error.hpp>

namespace netkit::sse {
namespace {

const std::string kDelta =
    R"({"id":"a","choices":[{"index":0,"delta":{"content":"He\u00e9\nllo","n":[1,{"x":-1.50e3}]}}]})";

// The parts, or "none".
std::string select(const std::vector<std::string>& pointers, std::string_view json) {
  JsonSelection selection(pointers);
  const JsonSelection::Result result = selection.apply(json);
  return result.found ? std::string(result.text) : "none";
}

TEST(JsonSelection, GivesStringsAsTheyAre) {
  EXPECT_EQ(select({"/choices/0/delta/content"}, kDelta), "He\u00e9\nllo");
  EXPECT_EQ(select({"/id"}, kDelta), "a");
}

TEST(JsonSelection, GivesAllElseAsItStandsThere) {
  EXPECT_EQ(select({"/choices/0/delta/n"}, kDelta), R"([1,{"x":-1.50e3}])");
  EXPECT_EQ(select({"/choices/0/delta/n/1"}, kDelta), R"({"x":-1.50e3})");
  EXPECT_EQ(select({"/choices/0/delta/n/1/x"}, kDelta), "-1.50e3");
  EXPECT_EQ(select({"/a"}, R"({"a": [ 1 , 2 ] })"), "[ 1 , 2 ]");
  EXPECT_EQ(select({"/a"}, R"({"a":12345678901234567890123})"), "12345678901234567890123");
  EXPECT_EQ(select({"/a"}, R"({"a":null})"), "null");
  EXPECT_EQ(select({"/a"}, R"({"a":true})"), "true");
  EXPECT_EQ(select({"/a"}, R"({"a":{}})"), "{}");
}

TEST(JsonSelection, LeavesOutWhatLacksThePart) {
  for (const char* pointer : {"/none", "/choices/1", "/choices/0/delta/content/x", "/choices/-",
                              "/choices/00", "/0", "/id/0", "/delta"}) {
    EXPECT_EQ(select({pointer}, kDelta), "none") << pointer;
  }
}

TEST(JsonSelection, JoinsSeveralByTab) {
  EXPECT_EQ(select({"/b", "/a", "/c"}, R"({"a":1,"b":"x"})"), "x\t1\t");
  EXPECT_EQ(select({"/a", "/a"}, R"({"a":1})"), "1\t1");
  EXPECT_EQ(select({"/a", "/a/b"}, R"({"a":{"b":2}})"), "{\"b\":2}\t2");
  EXPECT_EQ(select({"/x", "/y"}, R"({"a":1})"), "none");
}

TEST(JsonSelection, ReadsThePointersOfRfc6901) {
  const std::string json =
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})";
  EXPECT_EQ(select({""}, json), json);
  EXPECT_EQ(select({"/foo"}, json), R"(["bar","baz"])");
  EXPECT_EQ(select({"/foo/0"}, json), "bar");
  EXPECT_EQ(select({"/"}, json), "0");
  EXPECT_EQ(select({"/a~1b"}, json), "1");
  EXPECT_EQ(select({"/c%d"}, json), "2");
  EXPECT_EQ(select({"/i\\j"}, json), "5");
  EXPECT_EQ(select({"/k\"l"}, json), "6");
  EXPECT_EQ(select({"/ "}, json), "7");
  EXPECT_EQ(select({"/m~0n"}, json), "8");
}

TEST(JsonSelection, UnescapesAPointerOnce) {
  EXPECT_EQ(select({"/~01"}, R"({"~1":1,"/":2})"), "1");
  EXPECT_EQ(select({"/~0~1/"}, R"({"~/":{"":1}})"), "1");
  EXPECT_EQ(select({"//"}, R"({"":{"":1}})"), "1");
}

TEST(JsonSelection, CountsElementsByWholeNumbersAlone) {
  for (const char* pointer : {"/01", "/+1", "/-1", "/1 ", "/ 1", "/18446744073709551617", "/"}) {
    EXPECT_EQ(select({pointer}, R"(["a","b"])"), "none") << pointer;
  }
}

TEST(JsonSelection, TakesADigitForANameWhereThereIsAnObject) {
  EXPECT_EQ(select({"/0"}, R"({"0":"name"})"), "name");
  EXPECT_EQ(select({"/0"}, R"(["element"])"), "element");
}

TEST(JsonSelection, RefusesWhatIsNoPointer) {
  for (const char* text : {"a", "#/a", "#", "/~", "/~2", "/a~/b", "/~1~"}) {
    EXPECT_THROW(JsonSelection({text}), UsageError) << text;
  }
}

TEST(JsonSelection, FindsNothingInWhatIsNoJson) {
  for (const char* text :
       {"", "[DONE]", "{", R"({"b":1)", R"({"a" 1})", R"({"a":"\ud800"})", R"({"b":1} x)"}) {
    EXPECT_EQ(select({"/a"}, text), "none") << text;
  }
}

TEST(JsonSelection, IsNotStoppedByDepth) {
  const std::string deep(1 << 20, '[');
  EXPECT_EQ(select({"/a"}, deep), "none");
  EXPECT_EQ(select({"/b"}, "{\"a\":" + deep + std::string(1 << 20, ']') + ",\"b\":1}"), "1");
}

TEST(JsonSelection, RemembersNothingOfTheTextBefore) {
  JsonSelection selection({"/a", "/b"});
  EXPECT_EQ(selection.apply(R"({"a":"1","b":"2"})").text, "1\t2");
  EXPECT_EQ(selection.apply(R"({"b":"3"})").text, "\t3");
  EXPECT_FALSE(selection.apply("{}").found);
}

}  // namespace
}  // namespace netkit::sse
