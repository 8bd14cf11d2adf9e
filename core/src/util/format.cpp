#include <charconv>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iterator>
#include <string_view>

#include <netkit/util/format.hpp>

namespace netkit {
namespace {

constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

template <typename Integer>
void append_integer(std::string& out, Integer value) {
  char buffer[24];
  const char* const end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

std::int64_t second_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

char* put_digits(char* at, unsigned value, int width) {
  for (int i = width - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return at + width;
}

char* put_text(char* at, std::string_view text) {
  return at + text.copy(at, text.size());
}

char* put_date(char* at, const std::tm& parts) {
  at = put_digits(at, static_cast<unsigned>(parts.tm_year + 1900), 4);
  *at++ = '-';
  at = put_digits(at, static_cast<unsigned>(parts.tm_mon + 1), 2);
  *at++ = '-';
  return put_digits(at, static_cast<unsigned>(parts.tm_mday), 2);
}

char* put_clock(char* at, const std::tm& parts) {
  at = put_digits(at, static_cast<unsigned>(parts.tm_hour), 2);
  *at++ = ':';
  at = put_digits(at, static_cast<unsigned>(parts.tm_min), 2);
  *at++ = ':';
  return put_digits(at, static_cast<unsigned>(parts.tm_sec), 2);
}

std::tm local_parts(std::int64_t second) {
  const auto time = static_cast<std::time_t>(second);
  std::tm parts{};
  ::localtime_r(&time, &parts);
  return parts;
}

std::tm utc_parts(std::int64_t second) {
  const auto time = static_cast<std::time_t>(second);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return parts;
}

}  // namespace

void append_unsigned(std::string& out, std::uint64_t value) {
  append_integer(out, value);
}

void append_signed(std::string& out, std::int64_t value) {
  append_integer(out, value);
}

void append_fixed(std::string& out, double value, int decimals) {
  char buffer[352];  // the largest double has 309 digits before its point
  const auto result =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, decimals);
  out.append(buffer, static_cast<std::size_t>(result.ptr - buffer));
}

void append_double(std::string& out, double value) {
  char buffer[32];
  const char* const end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, static_cast<std::size_t>(end - buffer));
}

std::string grouped(std::uint64_t value) {
  std::string out = std::to_string(value);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out;
}

std::string short_number(double value) {
  if (value >= 9.95) return grouped(static_cast<std::uint64_t>(std::llround(value)));
  std::string out;
  append_fixed(out, value, value >= 0.995 || value == 0 ? 1 : 2);
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out;
}

std::string short_quantity(double value, std::string_view unit) {
  constexpr std::string_view kPrefixes[] = {"", "k", "M", "G", "T", "P"};
  std::size_t prefix = 0;
  while (value >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    value /= 1000;
    ++prefix;
  }
  std::string out = short_number(value);
  out += ' ';
  out += kPrefixes[prefix];
  out += unit;
  return out;
}

void TimeFormatter::append_rfc3339(std::string& out, WallTime time) {
  const std::int64_t second = second_of(time);
  if (second != utc_.second) {
    const std::tm parts = utc_parts(second);
    char* at = put_date(utc_.text.data(), parts);
    *at++ = 'T';
    at = put_clock(at, parts);
    utc_.size = static_cast<std::uint8_t>(at - utc_.text.data());
    utc_.second = second;
  }
  const auto rest = time - WallTime(std::chrono::seconds(second));
  char buffer[40];
  char* at = put_text(buffer, {utc_.text.data(), utc_.size});
  *at++ = '.';
  at = put_digits(at, static_cast<unsigned>(rest.count() / 1000), 6);
  *at++ = 'Z';
  out.append(buffer, static_cast<std::size_t>(at - buffer));
}

void TimeFormatter::append_local_date(std::string& out, WallTime time) {
  const std::int64_t second = second_of(time);
  if (second != local_.second) {
    const std::tm parts = local_parts(second);
    char* at = put_date(local_.text.data(), parts);
    *at++ = ' ';
    at = put_clock(at, parts);
    local_.size = static_cast<std::uint8_t>(at - local_.text.data());
    local_.second = second;
  }
  out.append(local_.text.data(), local_.size);
}

void TimeFormatter::append_ctime(std::string& out, WallTime time) {
  const std::int64_t second = second_of(time);
  if (second != ctime_.second) {
    const std::tm parts = local_parts(second);
    char* at = put_text(ctime_.text.data(), kDays[parts.tm_wday]);
    *at++ = ' ';
    at = put_text(at, kMonths[parts.tm_mon]);
    *at++ = ' ';
    at = put_digits(at, static_cast<unsigned>(parts.tm_mday), 2);
    if (at[-2] == '0') at[-2] = ' ';
    *at++ = ' ';
    at = put_clock(at, parts);
    *at++ = ' ';
    at = put_digits(at, static_cast<unsigned>(parts.tm_year + 1900), 4);
    ctime_.size = static_cast<std::uint8_t>(at - ctime_.text.data());
    ctime_.second = second;
  }
  out.append(ctime_.text.data(), ctime_.size);
}

std::string rfc3339(WallTime time) {
  std::string out;
  TimeFormatter().append_rfc3339(out, time);
  return out;
}

std::string local_date(WallTime time) {
  std::string out;
  TimeFormatter().append_local_date(out, time);
  return out;
}

std::string ctime_text(WallTime time) {
  std::string out;
  TimeFormatter().append_ctime(out, time);
  return out;
}

}  // namespace netkit
