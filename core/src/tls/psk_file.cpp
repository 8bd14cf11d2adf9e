#include <csignal>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include <netkit/tls/psk_file.hpp>
#include <netkit/tls/tls.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit {

PskFile::PskFile(EventLoop& loop, const Log& log, std::string path, Take take)
    : log_(log),
      path_(std::move(path)),
      take_(std::move(take)),
      hung_up_(loop.on_signal(SIGHUP, [this] { read(); })) {}

void PskFile::read() {
  try {
    PskKeys keys = PskKeys::load(path_);
    log_.notice(fmt::format("{} reloaded: {}", path_, counted(keys.size(), "key")));
    take_(std::move(keys));
  } catch (const Error& error) {
    log_.error(fmt::format("{}; the keys are unchanged", error.what()));
  }
}

namespace {

// Null: it has no keys.
std::shared_ptr<TlsContext> context_of(const TcpServer& server) {
  auto context = std::dynamic_pointer_cast<TlsContext>(server.options().tls);
  return context && context->psk_keys() != nullptr ? context : nullptr;
}

}  // namespace

void replace_psk_keys(TcpServer& server, PskKeys keys) {
  const std::shared_ptr<TlsContext> context = context_of(server);
  if (!context) return;
  const PskKeys before = context->set_psk_keys(std::move(keys));
  server.for_each([&](TcpServer::Connection& connection) {
    const std::string identity = context->identity_of(connection.stream());
    if (identity.empty() || have_same_key(before, *context->psk_keys(), identity)) return;
    server.notice(fmt::format("{} closed: the key of '{}' was revoked",
                              connection.peer().to_string(), identity));
    // Data queued for it must not reach it any more.
    connection.stream().queued() == 0 ? connection.close() : connection.abort();
  });
}

TlsKeys::TlsKeys(TcpServer& server) {
  const std::shared_ptr<TlsContext> context = context_of(server);
  if (!context) return;
  file_.emplace(server.loop(), server.log(), context->psk_file(),
                [&server](PskKeys keys) { replace_psk_keys(server, std::move(keys)); });
}

}  // namespace netkit
