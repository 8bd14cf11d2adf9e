// `--store redis://HOST:PORT/PREFIX` and `rediss:`.
#include <redis/engine.hpp>

#include <netkit/plugin/store_plugin.hpp>

NETKIT_STORE(redis, "stores entries in Redis, for any number of servers on any machines",
             netkit::redis::make_engine)
