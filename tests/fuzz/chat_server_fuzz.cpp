// A room's whole server under members who speak the protocol and a wire that changes what they say
// (native_party.hpp says what an input is). A request: a byte what, and its text.
#include "fuzz/native_party.hpp"

#include <chat/payload.hpp>
#include <chat/room_server.hpp>

namespace {

using namespace netkit;  // NOLINT(google-build-using-namespace)

class Members final : public fuzz::Application {
 public:
  std::string hello(unsigned client) override {
    const std::string name = "member" + std::to_string(client);
    std::string bytes;
    chat::encode(chat::Hello{.instance = client + 1u, .name = name}, bytes);
    return bytes;
  }
  std::string request(fuzz::Script& script) override {
    const unsigned what = script.byte();
    const std::string text(script.text());
    std::string bytes;
    switch (what % 5) {
      case 0:
        chat::encode(chat::Request(chat::Say{.action = what > 127, .text = text}), bytes);
        break;
      case 1:
        chat::encode(chat::Request(chat::Tell{text}), bytes);
        break;
      case 2:
        chat::encode(chat::Request(chat::Rename{text}), bytes);
        break;
      case 3:
        chat::encode(chat::Request(chat::Who{}), bytes);
        break;
      default:
        chat::encode(chat::Request(chat::Sync{}), bytes);
    }
    return bytes;
  }
};

class Keeper final : public chat::RoomServer::Handler {
 public:
  void on_event(const chat::FromRoom&, std::uint64_t, const Endpoint&) override {}
  void on_closed() override {}
  const AnswerPolicy& policy() const override { return policy_; }
  WallTime wall() const override { return WallTime{}; }

 private:
  AnswerPolicy policy_ = fuzz::open_policy();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Keeper keeper;
  chat::RoomServer::Options options;
  options.room.plain_template = Template::parse("[{name}] {text}\n", "--template");
  options.room.max_members = 40;
  options.keep = 100;
  chat::RoomServer server(options, netkit::fuzz::Dice(), keeper);
  Members members;
  netkit::fuzz::NativeParty party(server, members);
  netkit::fuzz::Script script(data, size);
  party.run(script);
  party.rest();
  FUZZ_CHECK(server.room().members() == 0);
  return 0;
}
