// `--store sqlite:FILE`.
#include <sqlite/engine.hpp>

#include <netkit/plugin/store_plugin.hpp>

NETKIT_STORE(sqlite, "stores entries in a SQLite file, for one or several servers on a machine",
             netkit::sqlite::make_engine)
