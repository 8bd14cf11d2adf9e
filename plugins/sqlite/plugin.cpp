// `--store sqlite:FILE`.
#include <sqlite/engine.hpp>

#include <netkit/plugin/store_plugin.hpp>

NETKIT_STORE(sqlite, "keeps what is said in a SQLite file, for one server or several on a machine",
             netkit::sqlite::make_engine)
