// --psk-file in a server's run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <netkit/cli/values.hpp>
#include <netkit/datagram/private_server.hpp>
#include <netkit/io/input.hpp>
#include <netkit/net/peer_log.hpp>
#include <netkit/net/udp_sockets.hpp>
#include <netkit/record/totals.hpp>
#include <netkit/tls/psk_file.hpp>
#include <netkit/util/export.hpp>

namespace netkit::datagram {

// [loop] A PrivateServer with its file, which it reads again at SIGHUP; reports who is refused.
class NETKIT_API ServerPrivacy final : private PrivateServer::Handler {
 public:
  struct Options {
    std::string psk_file{};         // empty: in clear
    std::optional<PskKeys> keys{};  // what it holds
    bool plain = true;              // peers of the plain dialect may come, too
  };
  // The values of --psk-file and --plain: with keys, plain peers are accepted only where --plain is
  // given. Throws Error.
  static Options read(const Values& values);

  class NETKIT_API Handler {
   public:
    virtual ~Handler() = default;
    // As PrivateServer::Handler has it.
    virtual void on_revoked(std::uint32_t owner) = 0;
    // The keys have been replaced; called before anybody is disconnected.
    virtual void on_keys(const PskKeys& /*keys*/) {}
  };

  // `protocol` holds the options of the sessions. All references but `options` outlive it. Throws
  // Error.
  ServerPrivacy(Run& run, const Options& options, const datagram::Options& protocol,
                Driver::Handler& inner, Handler& handler);

  Driver::Handler& driven() { return server_; }  // to be given to a Driver
  const std::string& identity(std::uint32_t owner) const { return server_.identity(owner); }
  bool is_identity(std::string_view name) const { return server_.is_identity(name); }
  // Reports that the server is not encrypted, if other machines can reach it.
  void say_if_open(const UdpSockets& sockets) const;
  void show(Totals& totals) const;  // private_totals() (netkit/cli/shared_definitions.hpp)

 private:
  void on_refused(const Endpoint& peer, std::string_view why) override;
  void on_revoked(std::uint32_t owner) override;

  Run& run_;
  Handler& handler_;
  LimitedLog log_;
  PrivateServer server_;
  std::optional<PskFile> file_;  // none: in clear
};

}  // namespace netkit::datagram
