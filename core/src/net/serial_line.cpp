#include "net/serial_line.hpp"

// The kernel's own termios has any speed; glibc's header cannot be included beside it.
#include <array>
#include <asm/termbits.h>
#include <cerrno>
#include <fcntl.h>
#include <linux/serial.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

class SerialStream final : public TcpStream {
 public:
  SerialStream(EventLoop& loop, FileDescriptor line, Handler& handler,
               std::function<void(bool)> on_destroyed)
      : TcpStream(loop, std::move(line), Endpoint::serial_peer(), handler),
        on_destroyed_(std::move(on_destroyed)) {}
  ~SerialStream() override {
    if (on_destroyed_) on_destroyed_(vanished_);
  }
  Endpoint local() const override { return Endpoint::serial_peer(); }
  bool half_closes() const override { return false; }

 private:
  // An empty read, or EIO, is how the kernel reports that the line is gone.
  ssize_t judge(ssize_t count, bool end) {
    if (count > 0 || (count == 0 && !end) || (count < 0 && errno != EIO && errno != ENXIO)) {
      return count;
    }
    vanished_ = true;
    errno = ENODEV;
    return -1;
  }

  ssize_t read_some(int fd, std::span<char> buffer) override {
    return judge(::read(fd, buffer.data(), buffer.size()), true);
  }
  ssize_t write_some(int fd, std::span<iovec> pieces) override {
    return judge(::writev(fd, pieces.data(), static_cast<int>(pieces.size())), false);
  }

  std::function<void(bool)> on_destroyed_;
  bool vanished_ = false;
};

constexpr tcflag_t data_bits(unsigned bits) {
  constexpr std::array<tcflag_t, 4> kSizes{CS5, CS6, CS7, CS8};
  return kSizes[bits - 5];
}

void set_up(struct termios2& modes, const SerialSettings& settings) {
  modes.c_iflag = 0;
  modes.c_oflag = 0;
  modes.c_lflag = 0;
  modes.c_cflag = CREAD | CLOCAL | BOTHER | data_bits(settings.data_bits);
  if (settings.parity != 'n') modes.c_cflag |= PARENB;
  if (settings.parity == 'o') modes.c_cflag |= PARODD;
  if (settings.stop_bits == 2) modes.c_cflag |= CSTOPB;
  modes.c_ispeed = settings.speed;
  modes.c_ospeed = settings.speed;
  modes.c_cc[VMIN] = 1;
  modes.c_cc[VTIME] = 0;
}

int set_up_rs485(int fd) {
  serial_rs485 mode{};
  mode.flags = SER_RS485_ENABLED | SER_RS485_RTS_ON_SEND;
  return ::ioctl(fd, TIOCSRS485, &mode);
}

}  // namespace

FileDescriptor open_serial_line(const AddressSpec& line) {
  const auto refuse = [&line](std::string_view what) {
    const int error = errno;
    throw SystemError(
        error, fmt::format("{} {}", what, line.path),
        error == EACCES || error == EPERM ? ExitStatus::permission : ExitStatus::unreachable);
  };
  FileDescriptor fd(::open(line.path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) refuse("cannot open");
  // A second reader would take half of the data.
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    errno = EBUSY;
    refuse("cannot open");
  }
  struct termios2 modes = {};
  if (::ioctl(fd.get(), TCGETS2, &modes) != 0) refuse("no serial line at");
  set_up(modes, line.serial);
  if (::ioctl(fd.get(), TCSETS2, &modes) != 0) refuse("cannot set up");
  if (line.serial.rs485 && set_up_rs485(fd.get()) != 0) refuse("no rs485 at");
  return fd;
}

std::unique_ptr<ByteStream> make_serial_stream(EventLoop& loop, FileDescriptor line,
                                               ByteStream::Handler& handler,
                                               std::function<void(bool)> on_destroyed) {
  return std::make_unique<SerialStream>(loop, std::move(line), handler, std::move(on_destroyed));
}

}  // namespace netkit
