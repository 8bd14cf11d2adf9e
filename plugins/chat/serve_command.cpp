#include <algorithm>
#include <chat/serve_command.hpp>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/cli/shared_definitions.hpp>
#include <netkit/datagram/path_metrics.hpp>
#include <netkit/net/server_sockets.hpp>
#include <netkit/store/options.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

namespace {

Room::Options room_options(const Values& values) {
  Room::Options room{Template::parse(values.text("template"), "--template")};
  room.lease = values.duration("lease");
  room.max_members = static_cast<std::size_t>(values.integer("max-members"));
  room.rate = values.number("rate");
  room.operators = names_in(values, "operators");
  return room;
}

datagram::Options native_options(const Room::Options& room, std::size_t keep) {
  datagram::Options native;
  native.lease = room.lease;
  native.heartbeat = std::min(native.heartbeat, room.lease / 3);
  native.max_sessions = room.max_members + 1;  // the room itself says that it is full
  native.keep = std::max<std::size_t>(1000, 2 * keep);
  return native;
}

}  // namespace

void ServeCommand::configure(const Values& values) {
  address_ = values.address("ADDRESS");
  const auto keep = static_cast<std::size_t>(values.integer("keep"));
  policy_ = answer_policy(values);
  policy_.rate = 0;  // --rate is of a member, and the room's
  Room::Options room = room_options(values);
  datagram::Options native = native_options(room, keep);
  native.max_held = static_cast<std::size_t>(values.size("max-memory"));
  native.max_queued = native.max_held;
  private_ = datagram::ServerPrivacy::read(values);
  if (!private_.plain) policy_.plain = AnswerPolicy::Plain::none;
  if (private_.keys) native.max_datagram -= datagram::kPrivateOverhead;
  options_.emplace(RoomServer::Options{std::move(room), native, keep, values.text("motd")});
  if (options_->motd.size() > kMaxMotd) throw UsageError("--motd is longer than 900 bytes");
  options_->plain_rate = plain_rate(values);
  history_path_ = values.text("history");
  notices_ = values.text("notices") == "yes";
  if (values.given("web")) web_ = values.text("web");
  web_hosts_ = values.texts("host");
  max_clients_ = static_cast<std::size_t>(values.integer("max-clients"));
  if (!store::is_wanted(values)) return;
  store_options_ = store::read_options(values, "chat", keep);
  store_options_->lease = options_->native.lease;
  options_->room.is_shared = true;
}

Room::Handler::Placing ServeCommand::place(const Message& message, const Endpoint& peer,
                                           std::uint64_t instance, std::uint64_t request) {
  if (!store_) return {};
  return store_->place(message, peer, instance, request);
}

void ServeCommand::on_name_taken(const std::string& name, std::uint64_t instance, bool proved) {
  if (store_) store_->claim(name, instance, proved);
}

void ServeCommand::on_name_free(const std::string& name, bool quit) {
  if (store_) store_->free(name, quit);
}

bool ServeCommand::holds_sync(std::uint64_t instance) {
  return store_ && store_->holds_sync(instance);
}

bool ServeCommand::holds_who(std::uint64_t instance) {
  return store_ && store_->holds_who(instance);
}

bool ServeCommand::tells_elsewhere(std::string_view line, const Message& from,
                                   std::uint64_t instance, std::uint64_t request) {
  return store_ && store_->tells_elsewhere(line, from, instance, request);
}

void ServeCommand::on_event(const FromRoom& event, std::uint64_t seq, const Endpoint& peer) {
  printer_->print(event, seq, peer, wall());
}

void ServeCommand::show(Totals& totals) const {
  const RoomCounters& room = room_->room().counters();
  const datagram::Counters& native = room_->native().counters();
  totals.add("members", room_->room().members());
  totals.add("browsers", page_ ? page_->members() : 0);
  totals.add("refused_clients", page_ ? page_->refused_clients() : 0);
  totals.add("messages", room.messages);
  totals.add("private_messages", room.private_messages);
  totals.add("joined", room.joined);
  totals.add("left", room.left);
  totals.add("expired", room.expired + native.expired);
  totals.add("dropped_slow", native.dropped);
  totals.add("dropped_full", room.dropped_full);
  totals.add("dropped_long", room.dropped_long);
  totals.add("refused_plain", room.refused_plain);
  totals.add("refused_share", room.refused_share);
  totals.add("dropped_plain", room_->plain_dropped());
  totals.add("dropped_plain_rate", room_->plain_over_rate());
  totals.add("history_lost", history_->lost());
  store_ ? store_->stream().show(totals) : store::show_none(totals);
  auto refused = driver_->policy().refused();
  refused[static_cast<std::size_t>(Refusal::rate)] += room.dropped_rate;
  add_refusals(totals, refused);
  privacy_->show(totals);
  driver_->show(totals, native);
}

// Members at browsers come to the room from this machine.
void ServeCommand::open_page(const Endpoint& room, std::vector<FileDescriptor> sockets) {
  WebServer::Options options;
  options.address = web_->empty() ? address_ : AddressSpec::parse(*web_, AddressRole::server);
  options.sockets = std::move(sockets);
  options.room = room;
  if (room.address().is_unspecified()) {
    options.room = Endpoint(*IpAddress::parse(room.is_v4() ? "127.0.0.1" : "::1"), room.port());
  }
  options.hosts = web_hosts_;
  options.max_members = options_->room.max_members;
  options.max_clients = max_clients_;
  options.access = policy_.access;
  page_ = std::make_unique<WebServer>(*host_, std::move(options));
  if (web_->empty()) return;
  for (std::string& line : page_->descriptions()) descriptions_.push_back(std::move(line));
}

// For somebody at the terminal with a phone.
void ServeCommand::show_way_to_page() const {
  const std::string url = page_->announce_page();
  if (url.empty() || !locale_is_utf8()) return;
  static_cast<void>(write_all(STDERR_FILENO, qr_code(url)));
}

ExitStatus ServeCommand::run(Host& host) {
  host_ = &host;
  if (!store_options_) open_sockets();
  history_ = std::make_unique<History>(host.log());
  history_->open(history_path_);
  printer_ = std::make_unique<EventPrinter>(host.output(), *history_,
                                            EventPrinter::Options{.notices = notices_});
  RoomServer::Handler& handler = *this;
  room_ = std::make_unique<RoomServer>(*options_, datagram::system_random(), handler);
  datagram::ServerPrivacy::Handler& revoked = *this;
  privacy_ =
      std::make_unique<datagram::ServerPrivacy>(host, private_, options_->native, *room_, revoked);
  drive();
  host.set_totals([this](Totals& totals) { show(totals); });
  host.set_metrics(
      [this](std::string& text) { datagram::append_path_metrics(text, room_->native().paths()); });
  host.on_stop([this](StopReason) { stop(); });
  store_options_ ? open_store() : listen();
  return history_->outcome(host.run_loop());
}

void ServeCommand::open_sockets() {
  ServerSocketOptions wanted{.udp = true, .udp_options = {.gro = true, .atomic = true}};
  wanted.tcp = web_ && web_->empty();
  ServerSockets opened = open_server_sockets(address_, wanted);
  descriptions_ = opened.descriptions();
  if (web_) open_page(opened.udp.front().local(), std::move(opened.tcp));
  sockets_ = std::move(opened.udp);
}

void ServeCommand::drive() {
  UdpServer::Options options;
  options.policy = policy_;
  options.log = &host_->log();
  driver_ = std::make_unique<datagram::Driver>(host_->loop(), std::move(sockets_),
                                               privacy_->driven(), options);
}

void ServeCommand::listen() {
  host_->ready(descriptions_);
  if (page_) show_way_to_page();
  privacy_->say_if_open(driver_->sockets());
}

// Members are served once the store's messages are known: until then nothing listens here, and they
// use another server.
void ServeCommand::open_store() {
  store_ = std::make_unique<RoomStore>(*host_, *store_options_, *room_, [this] {
    open_sockets();
    drive();
    listen();
  });
  store_->open();
}

void ServeCommand::stop() {
  const auto close = [this] {
    room_->close(host_->loop().now());
    if (page_) page_->close();
  };
  store_ ? store_->when_settled(close) : close();
}

void ServeCommand::on_closed() {
  const bool is_settled = !store_ || store_->stream().waiting() == 0;
  is_settled ? host_->finish(ExitStatus::done)
             : host_->finish(ExitStatus::again, store_->stream().why_not_stored());
}

}  // namespace netkit::chat
