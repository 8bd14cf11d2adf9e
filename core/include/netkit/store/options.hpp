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
// What stands in the totals of such an action: Stream::show() tells the numbers.
NETKIT_API std::vector<TotalDef> totals();
// They are asked for even where no store is used.
NETKIT_API void show_none(Totals& totals);

// Whether there is to be a store. Throws UsageError for a --store that names none.
NETKIT_API bool is_wanted(const Values& values);
// What the options say; `stream` is the command's name. Reads the password's file. Throws Error.
NETKIT_API Stream::Options read_options(const Values& values, std::string_view stream,
                                        std::size_t keep);

// `STORE-URL/STREAM[?since=N|all]`, of --from and --to.
struct Place {
  std::string option;  // --from, --to
  std::string url;     // of the store
  std::string stream;
  std::uint64_t since = 0;  // 0: from now on; `all` is 1
};
// What a stream of it is opened with, by the password of the environment.
NETKIT_API Settings settings_of(const Place& place);
// Throws UsageError.
NETKIT_API Place read_place(std::string_view text, std::string_view option);

}  // namespace netkit::store
