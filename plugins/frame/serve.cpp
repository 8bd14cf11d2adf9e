// `frame serve`.
#include <frame/commands.hpp>
#include <frame/options.hpp>
#include <frame/server.hpp>

#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

class ServeCommand final : public Command {
 public:
  void configure(const Values& values) override {
    std::vector<std::string> arguments = values.arguments();
    options_.address = take_address(arguments, AddressRole::server, "127.0.0.1:9089");
    options_.session.max_frame = max_frame_option(values);
    options_.session.frame_timeout = values.duration("frame-timeout");
    options_.session.idle_timeout = values.duration("idle-timeout");
    options_.session.accept_custom = values.flag("broadcast");
    options_.max_clients = static_cast<std::size_t>(values.integer("max-clients"));
    options_.max_queue = values.size("max-queue");
    options_.record = values.text("record");
    if (values.has("cert") != values.has("key")) {
      throw UsageError("TLS needs both --cert and --key");
    }
    if (values.has("cert")) {
      options_.tls =
          TlsServerOptions{values.text("cert"), values.text("key"), values.text("client-ca")};
    } else if (values.has("client-ca")) {
      throw UsageError("--client-ca needs --cert and --key");
    }
  }

  ExitStatus run(Host& host) override {
    const FrameServer server(host, options_);
    return host.run_loop();
  }

 private:
  FrameServerOptions options_;
};

}  // namespace

std::unique_ptr<Command> make_serve() {
  return std::make_unique<ServeCommand>();
}

}  // namespace netkit::frame
