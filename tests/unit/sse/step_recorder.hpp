// Writes down what an EventParser finds, in the words of reference_parser.hpp.
#pragma once

#include <chrono>
#include <sse/event_stream.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace netkit::sse {

class StepRecorder : public EventParser::Handler {
 public:
  bool on_event(const Event& event) override {
    steps.push_back("event " + std::string(event.type) + "|" + std::string(event.data) + "|" +
                    std::string(event.id));
    return true;
  }
  void on_retry(Duration time) override {
    const auto count = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    steps.push_back("retry " + std::to_string(count));
  }
  void on_comment(std::string_view text) override {
    steps.push_back("comment " + std::string(text));
  }

  std::vector<std::string> steps;
};

}  // namespace netkit::sse
