#include "tls/datagram_bio.hpp"
#include "tls/dtls_sessions.hpp"
#include "tls/key_log.hpp"
#include "tls/tls_library.hpp"
#include "tls/tls_stream.hpp"
#include "util/hmac_sha256.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <netkit/tls/dtls.hpp>
#include <netkit/util/big_endian.hpp>
#include <netkit/util/error.hpp>

namespace netkit::tls {
namespace {

constexpr long kMaxDatagram = 1200;
constexpr long kSessionSeconds = 3600;  // then keys are exchanged anew

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::shared_ptr<SSL_CTX>;

// What the handshakes of a context have in common.
struct Shared {
  ContextPtr context;
  DtlsSessions sessions;
};
using SharedPtr = std::shared_ptr<Shared>;

// The key block of RFC 5246, section 6.3: what OpenSSL itself makes its records' keys of. By its
// HMAC and not its TLS1-PRF, which takes four times as long.
void derive(const SSL* ssl, DtlsSecrets& out) {
  std::array<char, SSL_MAX_MASTER_KEY_LENGTH> master{};
  const std::size_t master_size = SSL_SESSION_get_master_key(
      SSL_get_session(ssl), reinterpret_cast<unsigned char*>(master.data()), master.size());
  std::array<unsigned char, 13 + 2 * SSL3_RANDOM_SIZE> label{};
  std::memcpy(label.data(), "key expansion", 13);
  SSL_get_server_random(ssl, label.data() + 13, SSL3_RANDOM_SIZE);
  SSL_get_client_random(ssl, label.data() + 13 + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
  const std::string_view seed(reinterpret_cast<const char*>(label.data()), label.size());
  const auto text = [](const HmacSha256::Digest& digest) {
    return std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size());
  };
  HmacSha256 secret({master.data(), master_size});
  std::array<unsigned char, 96> block{};  // two keys of 32 bytes, two IVs of 12
  HmacSha256::Digest turn{};
  HmacSha256::Digest part{};
  for (std::size_t end = 0; end < block.size(); end += part.size()) {
    turn = secret.of({end == 0 ? seed : text(turn)});
    part = secret.of({text(turn), seed});
    std::memcpy(block.data() + end, part.data(), part.size());
  }
  const unsigned char* at = block.data();
  const auto take = [&at](auto& field) {
    std::memcpy(field.data(), at, field.size());
    at += field.size();
  };
  take(out.client.key);
  take(out.server.key);
  take(out.client.iv);
  take(out.server.iv);
  OPENSSL_cleanse(master.data(), master.size());
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(part.data(), part.size());
}

// OpenSSL's own timer, in microseconds: it expires shortly before on_timer() is called, after 200
// ms, then after twice that, up to 800.
unsigned int flight_pause(SSL* /*ssl*/, unsigned int before) {
  return before == 0 ? 190'000 : std::min(2 * before, 760'000U);
}

// The records of a datagram, each with its header. What OpenSSL writes is whole.
template <typename Visit>
void for_each_record(std::string& datagram, Visit&& visit) {
  constexpr std::size_t kHeader = 13;
  for (std::size_t at = 0; at + kHeader <= datagram.size();) {
    const std::size_t size = kHeader + big_endian::get<std::uint16_t>(datagram.data() + at + 11);
    visit(datagram.data() + at);
    at += size;
  }
}

constexpr std::size_t kEpochAt = 3;

class Handshake final : public DtlsHandshake {
 public:
  // A server's has `find`, a client's `own`.
  Handshake(SharedPtr shared, const DtlsContext::FindKey* find, const PskIdentity* own,
            std::uint64_t first)
      : shared_(std::move(shared)),
        find_(find),
        next_number_(first),
        ssl_(SSL_new(shared_->context.get())) {
    if (!ssl_) throw std::bad_alloc();
    BIO* const bio = new_datagram_bio(ends_);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    SSL_set_mtu(ssl_.get(), kMaxDatagram);
    DTLS_set_timer_cb(ssl_.get(), flight_pause);
    if (own == nullptr) {
      SSL_set_accept_state(ssl_.get());
    } else {
      own_ = *own;
      identity_ = own->name;
      SSL_set_connect_state(ssl_.get());
      if (const auto* kept = shared_->sessions.find(own_)) {
        const SessionPtr copy(SSL_SESSION_dup(kept->session.get()));
        SSL_set_session(ssl_.get(), copy.get());
      }
    }
  }
  ~Handshake() override {
    OPENSSL_cleanse(&secrets_, sizeof secrets_);
    // OpenSSL would discard a session that was not shut down.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  // Goes on behind a HelloVerifyRequest that was sent without it.
  bool listen(std::string_view hello, Datagrams& out) {
    ends_.in = hello;
    ends_.out = nullptr;  // a cookie that OpenSSL would send
    ERR_clear_error();
    const std::unique_ptr<BIO_ADDR, decltype(&BIO_ADDR_free)> nobody(BIO_ADDR_new(),
                                                                     &BIO_ADDR_free);
    if (!nobody) throw std::bad_alloc();
    const bool good = DTLSv1_listen(ssl_.get(), nobody.get()) == 1;
    ends_.in = {};
    ERR_clear_error();
    if (good) advance(out);
    return good;
  }

  void start(Datagrams& out) override { advance(out); }

  void on_datagram(std::string_view datagram, Datagrams& out) override {
    ends_.in = datagram;
    advance(out);
    ends_.in = {};
  }

  // OpenSSL's repetition is the better one, as its last flight has another number, so that nobody
  // takes it for a duplicate; but it goes by the time of day, which may jump.
  void on_timer(Datagrams& out) override {
    if (state_ != State::going) return;
    const std::size_t before = out.size();
    ends_.out = &out;
    ERR_clear_error();
    const bool sent = DTLSv1_handle_timeout(ssl_.get()) == 1 && out.size() > before;
    ERR_clear_error();
    ends_.out = nullptr;
    if (sent) {
      emit(out, before);
    } else {
      repeat(out);
    }
  }

  State state() const override { return state_; }
  const DtlsSecrets& secrets() const override { return secrets_; }
  const std::string& identity() const override { return identity_; }
  bool identity_known() const override { return known_; }
  bool resumed() const override { return resumed_; }
  const std::string& reason() const override { return reason_; }

  // OpenSSL asks for the key of a client, or for this side's own.
  static unsigned int server_key(SSL* ssl, const char* identity, unsigned char* out,
                                 unsigned int room) {
    auto& self = *static_cast<Handshake*>(SSL_get_app_data(ssl));
    self.identity_ = identity == nullptr ? "" : identity;
    const PskKey* const key = (*self.find_)(self.identity_);
    self.known_ = key != nullptr;
    return put_key(key, out, room);
  }
  static unsigned int client_key(SSL* ssl, const char* /*hint*/, char* identity,
                                 unsigned int identity_room, unsigned char* out,
                                 unsigned int room) {
    const auto& self = *static_cast<Handshake*>(SSL_get_app_data(ssl));
    if (self.own_.name.size() + 1 > identity_room) return 0;
    std::memcpy(identity, self.own_.name.c_str(), self.own_.name.size() + 1);
    return put_key(&self.own_.key, out, room);
  }
  // OpenSSL asks a server for the session with the id that a client wants to resume. It gets a copy
  // of its own, so that a failure does not invalidate the original.
  static SSL_SESSION* find_session(SSL* ssl, const unsigned char* id, int size, int* is_shared) {
    *is_shared = 0;
    auto& self = *static_cast<Handshake*>(SSL_get_app_data(ssl));
    const auto* const kept = self.shared_->sessions.find(
        {reinterpret_cast<const char*>(id), static_cast<std::size_t>(size)});
    const PskKey* const key = kept == nullptr ? nullptr : (*self.find_)(kept->identity);
    if (key == nullptr || !(*key == kept->key)) return nullptr;  // the key was revoked or replaced
    self.identity_ = kept->identity;
    self.known_ = true;
    return SSL_SESSION_dup(kept->session.get());
  }

 private:
  void advance(Datagrams& out) {
    if (state_ == State::failed) return;
    // The other side does not have the last flight yet; what it sends is a repetition.
    if (state_ == State::done) return repeat(out);
    const std::size_t before = out.size();
    ends_.out = &out;
    ERR_clear_error();
    shake_hands();
    ERR_clear_error();
    ends_.out = nullptr;
    emit(out, before);
  }

  // OpenSSL has written `out` from `first` on.
  void emit(Datagrams& out, std::size_t first) {
    if (out.size() == first) return;
    flight_.assign(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    out.resize(first);
    repeat(out);
  }

  // The other side would drop a repeated record with the same number as a duplicate. Records of
  // epoch 0 are not protected, so they get a new number each time.
  void repeat(Datagrams& out) {
    for (std::string& datagram : flight_) {
      for_each_record(datagram, [this](char* record) {
        const bool in_clear = big_endian::get<std::uint16_t>(record + kEpochAt) == 0;
        if (in_clear) big_endian::put(record + kEpochAt, next_number_++);
      });
      out.push_back(datagram);
    }
  }

  void shake_hands() {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) return finish();
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return;
    state_ = State::failed;
    reason_ = take_library_reason();
  }

  void finish() {
    derive(ssl_.get(), secrets_);
    state_ = State::done;
    resumed_ = SSL_session_reused(ssl_.get()) == 1;
    const bool is_server = find_ != nullptr;
    if (resumed_) {
      if (is_server) flight_.clear();  // the client sends the last flight
      return;
    }
    const PskKey* const key = is_server ? (*find_)(identity_) : &own_.key;
    if (key == nullptr) return;
    shared_->sessions.keep(identity_, *key, SessionPtr(SSL_get1_session(ssl_.get())));
  }

  SharedPtr shared_;
  const DtlsContext::FindKey* find_;
  DatagramEnds ends_;
  PskIdentity own_;
  std::string identity_;
  std::string reason_;
  DtlsSecrets secrets_;
  Datagrams flight_;           // the last that was sent
  std::uint64_t next_number_;  // of a record in epoch 0
  State state_ = State::going;
  bool known_ = false;
  bool resumed_ = false;
  SslPtr ssl_;  // refers to all of the above
};

class Context final : public DtlsContext {
 public:
  explicit Context(ContextPtr context) : shared_(std::make_shared<Shared>()) {
    shared_->context = std::move(context);
  }

  std::unique_ptr<DtlsHandshake> connect(const PskIdentity& identity,
                                         std::uint64_t first) override {
    return std::make_unique<Handshake>(shared_, nullptr, &identity, first);
  }
  std::unique_ptr<DtlsHandshake> accept(std::string_view hello, const FindKey& find,
                                        DtlsHandshake::Datagrams& out) override {
    const auto first = big_endian::get<std::uint64_t>(hello.data() + kEpochAt);  // of epoch 0
    auto handshake = std::make_unique<Handshake>(shared_, &find, nullptr, first);
    if (!handshake->listen(hello, out)) return nullptr;
    return handshake;
  }

 private:
  SharedPtr shared_;
};

// The caller of accept() has checked the cookie already.
int believe_cookie(SSL* /*ssl*/, const unsigned char* /*cookie*/, unsigned int /*size*/) {
  return 1;
}
int no_cookie(SSL* /*ssl*/, unsigned char* /*cookie*/, unsigned int* size) {
  *size = 0;
  return 0;
}

}  // namespace

std::shared_ptr<DtlsContext> make_dtls_context() {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(DTLS_method()), ContextFree());
  if (!context || SSL_CTX_set_min_proto_version(context.get(), DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), DTLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kPskCipher) != 1) {
    throw Error(ExitStatus::fault, "cannot set up DTLS: " + take_library_reason());
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET |
                                         SSL_OP_COOKIE_EXCHANGE);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_timeout(context.get(), kSessionSeconds);
  SSL_CTX_sess_set_get_cb(context.get(), Handshake::find_session);
  SSL_CTX_set_psk_server_callback(context.get(), Handshake::server_key);
  SSL_CTX_set_psk_client_callback(context.get(), Handshake::client_key);
  SSL_CTX_set_cookie_verify_cb(context.get(), believe_cookie);
  SSL_CTX_set_cookie_generate_cb(context.get(), no_cookie);
  log_keys(context.get());
  return std::make_shared<Context>(std::move(context));
}

}  // namespace netkit::tls
