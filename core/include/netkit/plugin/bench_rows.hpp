// The progress of a load test.
#pragma once

#include <functional>
#include <string>

#include <netkit/loop/event_loop.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/record/record.hpp>
#include <netkit/util/clock.hpp>
#include <netkit/util/export.hpp>

namespace netkit {

// A row every second at a terminal, and every D with --stats=D, which also makes a record in JSON
// output. [loop]
class NETKIT_API BenchRows {
 public:
  // The part of the run that a row covers, in seconds since the start.
  struct Part {
    double from = 0;
    double to = 0;
    bool is_record = false;  // make a record as well
  };
  using Show = std::function<void(const Part& part)>;

  explicit BenchRows(Host& host);

  // Whether there are rows at all.
  bool wanted() const { return period_ > Duration::zero() && period_ != kNever; }
  // Shows rows from now on, until this object is destroyed.
  void start(Show show);

 private:
  void show_part();

  Host& host_;
  Duration period_ = kNever;
  bool with_records_ = false;
  Show show_;
  TimePoint began_;
  TimePoint part_began_;
  Timer timer_;
};

// The fields of a row's record that say which part of the run it covers.
inline constexpr FieldDef kPartFrom{"from_s", "seconds from the start to its beginning"};
inline constexpr FieldDef kPartTo{"to_s", "seconds from the start to its end"};

// `  0-0.5 s`: how a row begins.
NETKIT_API std::string part_text(const BenchRows::Part& part);

}  // namespace netkit
