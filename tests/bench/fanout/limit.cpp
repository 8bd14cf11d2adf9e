// fanout_limit PORT SUBSCRIBERS RECORDS SIZE: sends as many datagrams of SIZE bytes as RECORDS
// times SUBSCRIBERS to PORT of 127.1.0.1 and the addresses after it by sendmmsg, 64 at a time.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto number = [argv](int i) { return std::strtoul(argv[i], nullptr, 10); };
  std::vector<sockaddr_in> to(number(2));
  for (std::size_t i = 0; i < to.size(); ++i) {
    to[i].sin_family = AF_INET;
    to[i].sin_port = htons(static_cast<std::uint16_t>(number(1)));
    to[i].sin_addr.s_addr = htonl(0x7f010001u + static_cast<std::uint32_t>(i));
  }
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  std::string payload(number(4), 'x');
  iovec vector{payload.data(), payload.size()};
  std::array<mmsghdr, 64> headers{};
  for (unsigned long record = number(3); record > 0; --record) {
    for (std::size_t at = 0; at < to.size();) {
      const std::size_t count = std::min(headers.size(), to.size() - at);
      for (std::size_t i = 0; i < count; ++i) {
        msghdr& header = headers[i].msg_hdr;
        header.msg_name = &to[at + i];
        header.msg_namelen = sizeof to[0];
        header.msg_iov = &vector;
        header.msg_iovlen = 1;
      }
      const int sent = ::sendmmsg(fd, headers.data(), static_cast<unsigned>(count), 0);
      if (sent < 0) {
        std::perror("sendmmsg");
        return 1;
      }
      at += static_cast<std::size_t>(sent);
    }
  }
  return 0;
}
