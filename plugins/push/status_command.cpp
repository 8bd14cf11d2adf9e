#include <algorithm>
#include <optional>
#include <push/control.hpp>
#include <push/status_command.hpp>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>
#include <netkit/util/quantity.hpp>
#include <netkit/util/terminal.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

constexpr std::size_t kPlainFields = 7;  // of a peer that gives no feedback

}  // namespace

void StatusCommand::configure(const Values& values) {
  wait_ = values.duration("wait");
  read_servers(values, values.addresses("ADDRESS"), wait_);
  if (values.has("watch")) watch_ = values.duration("watch");
  may_be_table_ = !values.given("template") && !values.given("to");
}

ExitStatus StatusCommand::run(Host& host) {
  host.set_totals([this](Totals& totals) { totals.add("subscribers", shown_); });
  is_table_ = may_be_table_ && host.interactive();
  connect(host);
  await_answer();
  return host.run_loop();
}

void StatusCommand::await_answer() {
  overdue_ = host().loop().after(wait_, [this] {
    fail(ExitStatus::unreachable, fmt::format("no answer within {}", format_duration(wait_)));
  });
}

void StatusCommand::ask_for_all() {
  constexpr std::string_view kQuestion = "STATUS\n";
  counted_ = false;
  ask(kQuestion);
}

// The roster is whole.
void StatusCommand::end_roster() {
  overdue_.reset();
  if (is_table_) show_table();
  if (watch_ == Duration::zero()) return host().finish(ExitStatus::done);
  next_ = host().loop().after(watch_, [this] {
    if (!connected()) return;
    await_answer();
    ask_for_all();
  });
}

void StatusCommand::on_answer(std::string_view line) {
  counted_ ? on_row(line) : on_count(line);
}

void StatusCommand::on_count(std::string_view line) {
  const auto rows = read_integer<std::uint64_t>(line.starts_with("OK ") ? line.substr(3) : "");
  if (!rows) return refuse(line, ExitStatus::protocol);
  rows_ = *rows;
  counted_ = true;
  if (rows_ == 0) end_roster();
}

void StatusCommand::on_row(std::string_view line) {
  const auto row = parse_status_row(line);
  if (!row) return refuse(line, ExitStatus::protocol);
  show(*row);
  ++shown_;
  if (--rows_ == 0) end_roster();
}

void StatusCommand::show(const StatusRow& row) {
  if (is_table_) {
    table_.push_back({escaped_text(row.name), escaped_text(row.address), std::string(row.kind),
                      fmt::format("{:.0f} s", row.age_s), fmt::format("{}", row.sent),
                      fmt::format("{}", row.lost), fmt::format("{}", row.lag),
                      row.kind == "native" ? format_duration(row.path.rtt) : "-"});
    return;
  }
  const Field fields[] = {
      {"name", std::string_view(row.name)},
      {"address", row.address},
      {"kind", row.kind},
      {"age", row.age_s},
      {"sent", row.sent},
      {"lost", row.lost},
      {"lag", row.lag},
      {"rtt_ms", std::chrono::duration<double, std::milli>(row.path.rtt).count()},
      {"window", std::uint64_t{row.path.window}},
      {"rate", row.path.rate},
      {"retransmitted", row.path.retransmitted}};
  const bool native = row.kind == "native";
  std::optional<std::string> text;
  if (!native) {
    text = fmt::format("{} {} {} age={:.3f} sent={} lost={} lag={}", row.name, row.address,
                       row.kind, row.age_s, row.sent, row.lost, row.lag);
  }
  host().output().emit(
      {.type = "subscriber",
       .time = host().clock().wall(),
       .peer = &server(),
       .fields = std::span(fields).first(native ? std::size(fields) : kPlainFields),
       .payload = std::nullopt,
       .line = text});
}

// Where a table begins that is repeated: in the place of the one before, or below it.
std::string StatusCommand::start_of_table() {
  if (watch_ == Duration::zero()) return {};
  if (takes_escapes(STDOUT_FILENO)) return "\x1b[H\x1b[2J";
  return std::exchange(has_shown_table_, true) ? "\n" : "";
}

// Texts to the left, numbers to the right.
void StatusCommand::show_table() {
  constexpr std::size_t kTexts = 3;
  table_.insert(table_.begin(), {"NAME", "ADDRESS", "KIND", "AGE", "SENT", "LOST", "LAG", "RTT"});
  std::vector<std::size_t> widths(table_.front().size());
  for (const auto& row : table_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out = start_of_table();
  for (const auto& row : table_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += "  ";
      out += i < kTexts ? fmt::format("{:<{}}", row[i], widths[i])
                        : fmt::format("{:>{}}", row[i], widths[i]);
    }
    out += '\n';
  }
  table_.clear();
  host().output().write_text(out);
}

}  // namespace netkit::push
