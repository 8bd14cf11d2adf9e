// Certificates for TLS tests, made on the spot in a folder of their own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/x509.h>

namespace netkit::test {

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, PkeyFree>;
using CertificatePtr = std::unique_ptr<X509, X509Free>;

// PEM files.
struct Identity {
  std::string cert_file;
  std::string key_file;
};

// What a certificate should be like.
struct CertificateRequest {
  std::string names;         // as in openssl.cnf: "DNS:good.test,IP:127.0.0.1"
  long begins = -3600;       // seconds from now
  long ends = 3600;          // seconds from now
  bool self_signed = false;  // else by the authority
};

// A certificate authority with its folder, which goes with it.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  const std::string& ca_file() const { return ca_file_; }
  Identity issue(const CertificateRequest& request);
  // The key of `identity` once more, encrypted.
  std::string encrypt_key(const Identity& identity);
  // Certificate and key in one file.
  std::string join(const Identity& identity);
  std::string write_file(const std::string& name, const std::string& content);

 private:
  std::string path(const std::string& name);

  std::string folder_;
  std::vector<std::string> files_;
  KeyPtr key_;
  CertificatePtr certificate_;
  std::string ca_file_;
  int serial_ = 1;
};

}  // namespace netkit::test
