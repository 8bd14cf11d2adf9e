// A shared object that is no plugin.
#include "bad_plugin.hpp"
