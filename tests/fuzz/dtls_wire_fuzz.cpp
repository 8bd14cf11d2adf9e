// What is read of DTLS before there is a key, and records that nobody made.
#include "datagram/dtls_records.hpp"
#include "datagram/dtls_wire.hpp"
#include "fuzz/fuzz_check.hpp"

#include <string>
#include <string_view>

using namespace netkit::datagram;  // NOLINT(google-build-using-namespace)

namespace {

netkit::DtlsSecret secret(unsigned char seed) {
  netkit::DtlsSecret made;
  made.key.fill(seed);
  made.iv.fill(seed);
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto hello = decode_client_hello(input)) {
    FUZZ_CHECK(hello->cookie.empty() ||
               (hello->cookie.data() > input.data() && hello->cookie.end() <= input.end()));
    std::string answer;
    encode_hello_verify(std::string(20, 'c'), hello->record, answer);
    std::string_view rest = answer;
    FUZZ_CHECK(take_record(rest) && rest.empty());
  }
  DtlsRecords mine(secret(1), secret(2));
  DtlsRecords other(secret(2), secret(1));
  std::string content;
  std::string_view rest = input;
  while (const auto record = take_record(rest)) {
    FUZZ_CHECK(record->whole.size() >= kRecordHeader);
    FUZZ_CHECK(!mine.open(*record, content));
    decode_alert(*record);
  }
  if (size > 1171) return 0;
  std::string sealed(size + DtlsRecords::kOverhead, '\0');
  mine.seal(RecordType::application_data, input, {}, sealed.data());
  rest = sealed;
  const auto record = take_record(rest);
  FUZZ_CHECK(record && rest.empty());
  FUZZ_CHECK(other.open(*record, content) && content == input);
  FUZZ_CHECK(!other.open(*record, content));
  return 0;
}
