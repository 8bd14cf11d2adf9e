#include "tls/datagram_bio.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace netkit::tls {
namespace {

DatagramEnds& ends_of(BIO* bio) {
  return *static_cast<DatagramEnds*>(BIO_get_data(bio));
}

int read_datagram(BIO* bio, char* buffer, int room) {
  DatagramEnds& ends = ends_of(bio);
  BIO_clear_retry_flags(bio);
  if (ends.in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t size = std::min(ends.in.size(), static_cast<std::size_t>(std::max(room, 0)));
  std::memcpy(buffer, ends.in.data(), size);
  ends.in = {};  // what a reader has no room for is lost, as with a socket
  return static_cast<int>(size);
}

int write_datagram(BIO* bio, const char* bytes, int size) {
  DatagramEnds& ends = ends_of(bio);
  if (ends.out != nullptr) ends.out->emplace_back(bytes, static_cast<std::size_t>(size));
  return size;
}

long control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

BIO_METHOD* make_method() {
  BIO_METHOD* const method =
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "netkit datagrams");
  if (method == nullptr) throw std::bad_alloc();
  BIO_meth_set_create(method, create);
  BIO_meth_set_read(method, read_datagram);
  BIO_meth_set_write(method, write_datagram);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BIO* new_datagram_bio(DatagramEnds& ends) {
  static BIO_METHOD* const method = make_method();
  BIO* const bio = BIO_new(method);
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &ends);
  return bio;
}

}  // namespace netkit::tls
