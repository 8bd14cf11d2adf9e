#include "support/test_certificates.hpp"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace netkit::test {
namespace {

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test certificates: ") + what);
}

template <typename Write>
void write_pem(const std::string& file, Write&& write) {
  std::FILE* const out = std::fopen(file.c_str(), "w");
  must(out != nullptr, file.c_str());
  must(write(out) == 1, "write");
  must(std::fclose(out) == 0, "close");
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  must(extension != nullptr, "extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

CertificatePtr new_certificate(EVP_PKEY* key, const char* name, int serial, long begins,
                               long ends) {
  CertificatePtr certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), begins);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

}  // namespace

TestAuthority::TestAuthority() : key_(EVP_EC_gen("P-256")) {
  char folder[] = "/tmp/netkit-certificates-XXXXXX";
  must(::mkdtemp(folder) != nullptr, "folder");
  folder_ = folder;
  certificate_ = new_certificate(key_.get(), "netkit test authority", serial_++, -7200, 7200);
  X509* const ca = certificate_.get();
  X509_set_issuer_name(ca, X509_get_subject_name(ca));
  add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(ca, ca, NID_key_usage, "critical,keyCertSign");
  must(X509_sign(ca, key_.get(), EVP_sha256()) > 0, "sign");
  ca_file_ = path("ca.pem");
  write_pem(ca_file_, [ca](std::FILE* out) { return PEM_write_X509(out, ca); });
}

TestAuthority::~TestAuthority() {
  for (const std::string& file : files_) ::unlink(file.c_str());
  ::rmdir(folder_.c_str());
}

std::string TestAuthority::path(const std::string& name) {
  files_.push_back(folder_ + "/" + name);
  return files_.back();
}

Identity TestAuthority::issue(const CertificateRequest& request) {
  const std::string number = std::to_string(serial_);
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate =
      new_certificate(key.get(), "netkit test", serial_++, request.begins, request.ends);
  X509* const issuer = request.self_signed ? certificate.get() : certificate_.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  add_extension(certificate.get(), issuer, NID_subject_alt_name, request.names);
  must(X509_sign(certificate.get(), request.self_signed ? key.get() : key_.get(), EVP_sha256()) > 0,
       "sign");
  Identity identity{path("cert" + number + ".pem"), path("key" + number + ".pem")};
  write_pem(identity.cert_file,
            [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()); });
  write_pem(identity.key_file, [&](std::FILE* out) {
    return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return identity;
}

std::string TestAuthority::encrypt_key(const Identity& identity) {
  std::FILE* const in = std::fopen(identity.key_file.c_str(), "r");
  must(in != nullptr, "open the key");
  const KeyPtr key(PEM_read_PrivateKey(in, nullptr, nullptr, nullptr));
  must(std::fclose(in) == 0 && key, "read the key");
  std::string file = path("encrypted.pem");
  const unsigned char phrase[] = "secret";
  write_pem(file, [&](std::FILE* out) {
    return PEM_write_PrivateKey(out, key.get(), EVP_aes_128_cbc(), phrase, 6, nullptr, nullptr);
  });
  return file;
}

std::string TestAuthority::join(const Identity& identity) {
  std::ostringstream both;
  both << std::ifstream(identity.cert_file).rdbuf() << std::ifstream(identity.key_file).rdbuf();
  return write_file("both.pem", both.str());
}

std::string TestAuthority::write_file(const std::string& name, const std::string& content) {
  std::string file = path(name);
  write_pem(file, [&](std::FILE* out) {
    return std::fwrite(content.data(), 1, content.size(), out) == content.size() ? 1 : 0;
  });
  return file;
}

}  // namespace netkit::test
