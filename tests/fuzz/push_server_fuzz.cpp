// A push server's whole hub under subscribers who speak the protocol and a wire that changes what
// they say (native_party.hpp says what an input is). Each request of theirs, which push has none
// of, is a record that the server's source gives, too.
#include "fuzz/native_party.hpp"

#include <push/hub.hpp>
#include <push/payload.hpp>

namespace {

using namespace netkit;  // NOLINT(google-build-using-namespace)

class Subscribers final : public fuzz::Application {
 public:
  explicit Subscribers(push::Hub& hub) : hub_(hub) {}
  std::string hello(unsigned client) override {
    const std::string name = "subscriber" + std::to_string(client);
    return push::encode(push::Request{.since = client % 3, .name = name});
  }
  std::string request(fuzz::Script& script) override {
    std::string text(script.text());
    hub_.publish(text);
    return text;
  }

 private:
  push::Hub& hub_;
};

class Keeper final : public push::Hub::Handler {
 public:
  void on_subscribed(const push::Subscriber&) override {}
  void on_unsubscribed(const push::Subscriber&, std::string_view, std::uint64_t) override {}
  void on_full(const Endpoint&, std::string_view) override {}
  const AnswerPolicy& policy() const override { return policy_; }

 private:
  AnswerPolicy policy_ = fuzz::open_policy();
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Keeper keeper;
  push::Hub::Options options;
  options.max_subscribers = 40;
  options.protocol.keep = 100;
  push::Hub hub(options, netkit::fuzz::Dice(), keeper);
  Subscribers subscribers(hub);
  netkit::fuzz::NativeParty party(hub, subscribers);
  netkit::fuzz::Script script(data, size);
  party.run(script);
  party.rest();
  FUZZ_CHECK(hub.sessions() == 0);
  return 0;
}
