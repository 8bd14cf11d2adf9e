// Appends numbers and times to a string, without locale, temporaries or snprintf.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// Any thread, like everything here.
NETKIT_API void append_unsigned(std::string& out, std::uint64_t value);
NETKIT_API void append_signed(std::string& out, std::int64_t value);
// With `decimals` digits after the point (0 to 9), rounded; `inf`, `-inf`, `nan` if it is not a
// number.
NETKIT_API void append_fixed(std::string& out, double value, int decimals);
// The shortest text that reads as the same number.
NETKIT_API void append_double(std::string& out, double value);

// `1,234,567`, for people.
NETKIT_API std::string grouped(std::uint64_t value);
// For people: two or three digits, or as many as there are before the point: `0.31`, `8.4`, `71`,
// `3,460`. Not negative.
NETKIT_API std::string short_number(double value);
// The same with a unit of powers of 1000: `64 B`, `1.2 kB`, `113 MB`; `unit` is `B`, `bit/s`.
NETKIT_API std::string short_quantity(double value, std::string_view unit);

// Writes points in time. What is the same for a whole second is worked out once a second and kept,
// so each record's time costs a copy; code that prints times owns one. [one thread]
class NETKIT_API TimeFormatter {
 public:
  // RFC 3339 in UTC with microseconds: `2026-11-20T15:12:29.123456Z`.
  void append_rfc3339(std::string& out, WallTime time);
  // Local: `2026-11-20 15:12:29`.
  void append_local_date(std::string& out, WallTime time);
  // Local, as C's ctime() without the newline: `Fri Nov 20 15:12:29 2026`.
  void append_ctime(std::string& out, WallTime time);

 private:
  struct Kept {
    std::int64_t second = INT64_MIN;
    std::array<char, 24> text{};
    std::uint8_t size = 0;
  };
  Kept utc_;
  Kept local_;
  Kept ctime_;
};

// The same for one point in time.
NETKIT_API std::string rfc3339(WallTime time);
NETKIT_API std::string local_date(WallTime time);
NETKIT_API std::string ctime_text(WallTime time);

}  // namespace netkit
