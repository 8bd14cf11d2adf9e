#include <echo/serve_settings.hpp>

namespace netkit::echo {

ServeCounters& ServeCounters::operator+=(const ServeCounters& other) {
  received += other.received;
  sent += other.sent;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  kernel_drops += other.kernel_drops;
  for (std::size_t i = 0; i < refused.size(); ++i) refused[i] += other.refused[i];
  loops += other.loops;
  unsendable += other.unsendable;
  too_big += other.too_big;
  accepted += other.accepted;
  clients += other.clients;
  refused_clients += other.refused_clients;
  idle_clients += other.idle_clients;
  delayed += other.delayed;
  unprinted += other.unprinted;
  return *this;
}

void ServeCounters::show(Totals& totals) const {
  totals.add("received", received);
  totals.add("sent", sent);
  totals.add("bytes_received", bytes_received);
  totals.add("bytes_sent", bytes_sent);
  totals.add("kernel_drops", kernel_drops);
  for (std::size_t i = 1; i < kRefusals; ++i) {
    totals.add(total_name(static_cast<Refusal>(i)), refused[i]);
  }
  totals.add("loops", loops);
  totals.add("unsendable", unsendable);
  totals.add("too_big", too_big);
  totals.add("accepted", accepted);
  totals.add("clients", clients);
  totals.add("refused_clients", refused_clients);
  totals.add("idle_clients", idle_clients);
  totals.add("delayed", delayed);
  totals.add("unprinted", unprinted);
}

}  // namespace netkit::echo
