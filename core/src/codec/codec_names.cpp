#include <array>

#include <netkit/codec/codec_spec.hpp>

namespace netkit {

namespace {

constexpr auto kNames = std::to_array<NamedCodec>({
    {.name = "netkit",
     .protocol = "netkit's own protocol",
     .codec = "u32",
     .more = "message ids",
     .body = "the data after the message id, and in answers after the error code"},
    {.name = "dns", .protocol = "DNS over TCP", .codec = "u16", .more = "", .body = "the message"},
    {.name = "gt06",
     .protocol = "GT06 trackers",
     .codec = "u8,offset=2,check=crc16-x25@2..",
     .more = "starts 7878, or 7979 and then u16, and ends 0d0a",
     .body = "from the protocol number to the serial number",
     .dialect = Dialect::gt06},
    {.name = "jt808",
     .protocol = "JT/T 808 vehicle terminals",
     .codec = "start=7e,end=7e,escape=7d,check=xor8",
     .more = "7d02 is 7e and 7d01 is 7d",
     .body = "from the message id on, without the check",
     .dialect = Dialect::jt808},
    {.name = "kafka",
     .protocol = "Apache Kafka",
     .codec = "u32",
     .more = "",
     .body = "the request or response that follows the length"},
    {.name = "modbus-rtu",
     .protocol = "Modbus on a serial line",
     .codec = "idle=5ms,check=crc16-modbus:le",
     .more = "",
     .body = "from the unit's address on, without the check"},
    {.name = "modbus-tcp",
     .protocol = "Modbus over TCP",
     .codec = "u16,offset=4",
     .more = "",
     .body = "the whole frame; its length is filled in"},
    {.name = "mqtt",
     .protocol = "MQTT",
     .codec = "varint,offset=1",
     .more = "",
     .body = "the whole packet; its length is filled in"},
    {.name = "mysql",
     .protocol = "MySQL and MariaDB",
     .codec = "u24le,adjust=1",
     .more = "",
     .body = "the sequence number and the payload"},
    {.name = "nmea",
     .protocol = "NMEA 0183",
     .codec = "start=24,end=0d0a,check=xor8",
     .more = "starts $ or !; the check is two hexadecimal digits after a *, and may be missing",
     .body = "from the $ or ! up to the *",
     .dialect = Dialect::nmea},
    {.name = "postgres",
     .protocol = "PostgreSQL",
     .codec = "u32,offset=1,adjust=-4",
     .more = "a start-up message, which begins with a zero byte, is u32,adjust=-4,strip=0",
     .body = "the whole message; its length is filled in",
     .dialect = Dialect::postgres},
});

}  // namespace

std::span<const NamedCodec> codec_names() {
  return kNames;
}

}  // namespace netkit
