#include <netkit/store/conformance.hpp>
#include <netkit/store/memory_store.hpp>

namespace netkit::test {

class MemoryBench final : public store::Bench {
 public:
  store::MakeEngine maker(const store::Surroundings& around) override {
    return store_.maker(around);
  }

 private:
  store::MemoryStore store_;
};

}  // namespace netkit::test

NETKIT_STORE_CONFORMANCE(Memory, netkit::test::MemoryBench)
