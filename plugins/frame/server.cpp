#include <frame/message.hpp>
#include <frame/options.hpp>
#include <frame/server.hpp>
#include <frame/server_client.hpp>
#include <string>
#include <vector>

#include <netkit/util/duration.hpp>
#include <netkit/util/error.hpp>

namespace netkit::frame {

namespace {

std::vector<std::string> complete_words(std::string_view, std::string_view word) {
  std::vector<std::string> found;
  for (const std::string_view candidate : {"/who", "raw:hex:"}) {
    if (candidate.starts_with(word)) found.emplace_back(candidate);
  }
  return found;
}

}  // namespace

FrameServer::FrameServer(Host& host, FrameServerOptions options)
    : host_(host),
      options_(std::move(options)),
      encoder_(options_.session.codec),
      printer_(host, true, FramePrinter::Mark::none),
      recorder_(host, options_.record),
      peers_log_(host.loop(), host.log()),
      tls_(options_.tls ? TlsContext::server(*options_.tls) : nullptr),
      listeners_(host.loop(), host.log(), options_.address,
                 [this](FileDescriptor socket, const Endpoint& peer) {
                   on_accept(std::move(socket), peer);
                 }),
      printing_(!host.quiet() && printer_.wanted()) {
  host_.set_totals([this](Totals& totals) { fill_totals(totals); });
  host_.on_stop([this](StopReason) { stop(); });
  if (may_read_input() && is_input_open()) {
    input_ = Input::open(host_, *this,
                         {.history = "frame-serve",
                          .max_line = max_message_line(options_.session.max_frame),
                          .complete = complete_words});
  }
  host_.ready(listeners_.descriptions());
}

FrameServer::~FrameServer() = default;

std::string_view FrameServer::datetime() {
  datetime_.clear();
  time_.append_local_date(datetime_, host_.clock().wall());
  return datetime_;
}

void FrameServer::on_accept(FileDescriptor socket, const Endpoint& peer) {
  if (clients_.size() >= options_.max_clients) {
    ++counters_.refused;
    return peers_log_.notice(peer.to_string() + " refused: there are " +
                             counted(clients_.size(), "client") + " (--max-clients)");
  }
  ++counters_.connections;
  if (host_.log().enabled(LogLevel::info)) host_.log().info(peer.to_string() + " connected");
  apply({.keepalive = true}, socket.get());
  auto client = std::make_unique<ServerClient>(*this, peer);
  clients_.add(std::move(client)).start(std::move(socket));
}

void FrameServer::remove(ServerClient& client) {
  if (host_.log().enabled(LogLevel::info)) {
    host_.log().info(client.peer().to_string() + " gone after " +
                     counted(client.frames(), "frame"));
  }
  host_.loop().destroy_later(clients_.take(client));
}

void FrameServer::handle_request(ServerClient& client, const ServerReply& reply) {
  using Kind = ServerReply::Kind;
  if (reply.kind == Kind::registered) client.set_identity(reply.body);
  const bool shown = reply.kind != Kind::heartbeat || host_.log().enabled(LogLevel::info);
  if (printing_ && shown) print_request(client, reply);
  if (reply.kind == Kind::custom && reply.error == kOk) {
    const auto head = answer_head(reply.id, kOk);
    push_to_all({head.data(), head.size()}, reply.body, &client);
  }
}

void FrameServer::print_request(const ServerClient& client, const ServerReply& reply) {
  ShownFrame frame;
  frame.dir = "in";
  frame.peer = &client.peer();
  frame.id = reply.id;
  frame.body = reply.body;
  frame.length = reply.body.size() + 1;
  printer_.print(frame);
}

// One encoded frame for all; who lets too much wait does not get it.
void FrameServer::push_to_all(std::string_view head, std::string_view body,
                              const ServerClient* except) {
  ByteBuffer wire;
  if (const FrameError error = encoder_.append(wire, head, body)) {
    host_.log().error(error.text());
    return;
  }
  const auto payload = std::make_shared<const std::string>(wire.view());
  clients_.for_each([&](ServerClient& client) {
    if (&client == except) return;
    if (client.push(payload)) {
      ++counters_.pushed;
      return;
    }
    ++counters_.dropped;
    peers_log_.notice(client.peer().to_string() +
                      " is slow: a message to it is dropped (--max-queue)");
  });
}

void FrameServer::on_input_line(std::string_view line) {
  if (line.empty()) return;
  if (line == "/who") return list_clients();
  const auto load = [this](const std::string& path) {
    return load_file(path, options_.session.max_frame);
  };
  try {
    const std::string content = parse_message(line, options_.session.codec, load);
    if (const FrameError error = encoder_.check(content.size(), options_.session.max_frame)) {
      throw UsageError("message " + quoted(line) + ": " + error.text());
    }
    if (line.starts_with("raw:")) return push_to_all(content, {}, nullptr);
    // To a client it looks like an answer, so it has an error code.
    const auto head = answer_head(static_cast<std::int8_t>(content[0]), kOk);
    push_to_all({head.data(), head.size()}, std::string_view(content).substr(1), nullptr);
  } catch (const Error& error) {
    host_.log().error(error.what());
  }
}

bool FrameServer::on_long_line() {
  host_.log().error(kLongLine);
  return true;
}

void FrameServer::list_clients() {
  clients_.for_each([this](const ServerClient& client) { list_client(client); });
}

void FrameServer::list_client(const ServerClient& client) {
  const std::string_view identity = client.identity();
  const std::string_view appid = identity.substr(0, kAppidSize);
  const std::string_view imei =
      identity.size() < kAppidSize ? std::string_view() : identity.substr(kAppidSize);
  const double age = std::chrono::duration<double>(host_.loop().now() - client.since()).count();
  const std::array<Field, 4> fields{Field{"appid", appid}, Field{"imei", imei}, Field{"age_s", age},
                                    Field{"frames", client.frames()}};
  std::string line = client.peer().to_string();
  if (identity.empty()) {
    line += " not registered";
  } else {
    line.append(" appid=").append(appid).append(" imei=").append(imei);
  }
  line += " connected for ";
  append_fixed(line, age, 1);
  line += "s, " + counted(client.frames(), "frame");
  Record record;
  record.type = "client";
  record.time = host_.clock().wall();
  record.peer = &client.peer();
  record.fields = identity.empty() ? std::span(fields).subspan(2) : std::span(fields);
  record.line = line;
  host_.output().emit(record);
}

void FrameServer::fill_totals(Totals& totals) const {
  totals.gauge("clients", clients_.size());
  totals.add("connections", counters_.connections);
  totals.add("refused", counters_.refused);
  totals.add("frames", counters_.frames);
  const auto of_kind = [this](ServerReply::Kind kind) {
    return counters_.kinds[static_cast<std::size_t>(kind)];
  };
  totals.add("registers", of_kind(ServerReply::Kind::registered));
  totals.add("heartbeats", of_kind(ServerReply::Kind::heartbeat));
  totals.add("datetimes", of_kind(ServerReply::Kind::datetime));
  totals.add("custom", of_kind(ServerReply::Kind::custom));
  totals.add("errors", counters_.errors);
  totals.add("pushed", counters_.pushed);
  totals.add("dropped", counters_.dropped);
  totals.add("protocol_errors", counters_.protocol_errors);
  totals.add("frame_timeouts", counters_.frame_timeouts);
  totals.add("idle_timeouts", counters_.idle_timeouts);
  totals.add("bytes", counters_.bytes_in);
}

void FrameServer::stop() {
  listeners_.close();
  clients_.for_each([](ServerClient& client) { client.close(); });
  host_.finish(ExitStatus::done);
}

}  // namespace netkit::frame
