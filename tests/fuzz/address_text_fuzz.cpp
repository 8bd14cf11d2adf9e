// Addresses: whatever is typed is refused with a sentence or means something that can be written
// down and read again.
#include "fuzz/fuzz_check.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <netkit/net/address_spec.hpp>
#include <netkit/net/endpoint.hpp>
#include <netkit/util/error.hpp>

namespace {

using netkit::AddressRole;
using netkit::AddressSpec;

void check_numeric(std::string_view text) {
  if (const auto address = netkit::IpAddress::parse(text)) {
    FUZZ_CHECK(netkit::IpAddress::parse(address->to_string()) == address);
  }
  if (const auto endpoint = netkit::Endpoint::parse(text)) {
    FUZZ_CHECK(netkit::Endpoint::parse(endpoint->to_string()) == endpoint);
    FUZZ_CHECK(netkit::Endpoint::from_sockaddr(endpoint->data(), endpoint->size()) == endpoint);
  }
  if (const auto block = netkit::Cidr::parse(text)) {
    FUZZ_CHECK(netkit::Cidr::parse(block->to_string())->to_string() == block->to_string());
  }
}

void check_spec(std::string_view text, AddressRole role, std::optional<std::uint16_t> port) {
  try {
    const AddressSpec spec = AddressSpec::parse(text, role, port);
    FUZZ_CHECK(AddressSpec::parse(spec.to_string(), role) == spec);
  } catch (const netkit::UsageError& error) {
    FUZZ_CHECK(!std::string_view(error.what()).empty());
  }
}

void check_list(std::string_view text) {
  try {
    const auto list = AddressSpec::parse_list(text, AddressRole::any_client);
    std::string again;
    for (const AddressSpec& spec : list) again += (again.empty() ? "" : ",") + spec.to_string();
    FUZZ_CHECK(AddressSpec::parse_list(again, AddressRole::any_client) == list);
  } catch (const netkit::UsageError&) {
    return;
  }
}

void check_words(std::string_view text) {
  const std::size_t space = text.find(' ');
  std::vector<std::string> words{std::string(text.substr(0, space))};
  if (space != std::string_view::npos) words.emplace_back(text.substr(space + 1));
  const std::size_t before = words.size();
  try {
    const AddressSpec spec = netkit::take_address(words, AddressRole::server);
    FUZZ_CHECK(words.size() < before);
    FUZZ_CHECK(AddressSpec::parse(spec.to_string(), AddressRole::server) == spec);
  } catch (const netkit::UsageError&) {
    FUZZ_CHECK(words.size() == before);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_numeric(text);
  check_spec(text, AddressRole::client, std::nullopt);
  check_spec(text, AddressRole::server, std::nullopt);
  check_spec(text, AddressRole::client, 80);
  check_spec(text, AddressRole::any_client, std::nullopt);
  check_spec(text, AddressRole::any_server, std::nullopt);
  check_list(text);
  check_words(text);
  return 0;
}
