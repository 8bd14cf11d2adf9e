#include "support/temp_folder.hpp"

#include <sqlite/engine.hpp>

#include <netkit/store/conformance.hpp>

namespace netkit::test {

class SqliteBench final : public store::Bench {
 public:
  std::string url() override { return "sqlite:" + (folder_ / "store.db"); }
  store::MakeEngine maker(const store::Surroundings& around) override {
    return [around](const store::Settings& settings, store::Engine::Handler& handler) {
      return sqlite::make_engine(around, settings, handler);
    };
  }

 private:
  TempFolder folder_;
};

}  // namespace netkit::test

NETKIT_STORE_CONFORMANCE(Sqlite, netkit::test::SqliteBench)
