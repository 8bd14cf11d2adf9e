#include <echo/printer.hpp>
#include <string>
#include <utility>
#include <vector>

namespace netkit::echo {

struct RelayPrinter::Batch {
  struct Entry {
    Message message;  // without peer and text
    Endpoint peer;
    std::size_t size;
  };
  std::vector<Entry> entries;
  std::string text;  // of all entries, one after another

  std::size_t cost() const { return text.size() + entries.size() * sizeof(Entry); }

  void print(const Print& print) {
    std::size_t at = 0;
    for (Entry& entry : entries) {
      entry.message.peer = &entry.peer;
      entry.message.text = std::string_view(text).substr(at, entry.size);
      at += entry.size;
      print(entry.message);
    }
  }
};

RelayPrinter::RelayPrinter(EventLoop& own, EventLoop& main_loop, const Print& print)
    : main_loop_(main_loop),
      print_(print),
      batch_(std::make_unique<Batch>()),
      waiting_(std::make_shared<std::atomic<std::size_t>>(0)),
      before_wait_(own.before_wait([this] { hand_over(); })) {}

RelayPrinter::~RelayPrinter() = default;

void RelayPrinter::print(const Message& message) {
  if (waiting_->load(std::memory_order_relaxed) + batch_->cost() > kMaxWaiting) {
    ++unprinted_;
    return;
  }
  Batch::Entry entry{message, *message.peer, message.text.size()};
  entry.message.peer = nullptr;
  entry.message.text = {};
  batch_->entries.push_back(entry);
  batch_->text += message.text;
}

void RelayPrinter::hand_over() {
  if (batch_->entries.empty()) return;
  const std::size_t cost = batch_->cost();
  waiting_->fetch_add(cost, std::memory_order_relaxed);
  std::shared_ptr<Batch> batch = std::exchange(batch_, std::make_unique<Batch>());
  main_loop_.post([batch, cost, waiting = waiting_, &print = print_] {
    batch->print(print);
    waiting->fetch_sub(cost, std::memory_order_relaxed);
  });
}

}  // namespace netkit::echo
