// `--store` and what goes with it, defined once for the servers that have it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/cli/option.hpp>
#include <netkit/cli/values.hpp>
#include <netkit/store/stream.hpp>
#include <netkit/util/export.hpp>

namespace netkit::store {

// --store --store-queue --store-password-file --store-cacert --reconnect --reconnect-max. An action
// that has them has kReconnectOptions as well. Any thread, as all of these.
NETKIT_API std::vector<OptionDef> options();
// The totals of such an action; Stream::show() provides the numbers.
NETKIT_API std::vector<TotalDef> totals();
// The same for a run without a store.
NETKIT_API void show_none(Totals& totals);

// Whether --store is given. Throws UsageError if it does not name a store.
NETKIT_API bool is_wanted(const Values& values);
// The values of the options; `stream` is the command's name. Reads the password file. Throws Error.
NETKIT_API Stream::Options read_options(const Values& values, std::string_view stream,
                                        std::size_t keep);

// `STORE-URL/STREAM[?since=N|all]`, of --from and --to.
struct Place {
  std::string option;  // --from, --to
  std::string url;     // of the store
  std::string stream;
  std::uint64_t since = 0;  // 0: from now on; `all` is 1
};
// The settings to open it with; the password comes from the environment.
NETKIT_API Settings settings_of(const Place& place);
// Throws UsageError.
NETKIT_API Place read_place(std::string_view text, std::string_view option);

}  // namespace netkit::store
