// A member at a browser, between its session with the room and the page's stream of events.
#pragma once

#include <chat/member.hpp>
#include <chat/typed_line.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include <netkit/datagram/driver.hpp>
#include <netkit/http/http_stream.hpp>
#include <netkit/plugin/host.hpp>
#include <netkit/util/clock.hpp>

namespace netkit::chat {

// [loop] Takes part by the native dialect, as any member does. What happens is kept as numbered
// events until the page has it, also while the page is away, within a bound.
class WebMember final : private Member::Handler {
 public:
  // `tag` is this session's alone, and no secret. `room` is where the server is. `since` as
  // Hello::since. What is kept for the page has `most_events` bytes, which may change. Both
  // references outlive it.
  WebMember(Host& host, const Endpoint& room, std::string tag, std::string name,
            std::uint64_t since, const std::size_t& most_events);
  ~WebMember() override;

  // Takes a line as typed. Returns what is wrong with it; empty: nothing.
  std::string say(std::string_view line);
  bool full() const { return member_.full(); }
  void leave();
  bool ended() const { return ended_; }  // by the room, or by leave()
  const std::string& name() const { return member_.name(); }

  // Sets the stream of the page, which continues after the event with the id `after`. The previous
  // one is ended.
  std::unique_ptr<HttpStream> listen(std::string_view after);
  bool heard() const { return ear_ != nullptr; }
  TimePoint unheard_since() const { return unheard_since_; }
  void keep_alive();

 private:
  class Ear;
  struct Event {
    std::uint64_t number;
    std::string text;
  };

  void on_joined(const Welcome& welcome) override;
  void on_rejected(std::uint16_t code, std::string_view why) override;
  void on_event(const FromRoom& event, std::uint64_t seq) override;
  void on_gap(const datagram::Gap& gap) override;
  void on_refused(std::string_view text, std::string_view why) override;
  void on_lost(datagram::LeftReason reason, std::string_view text) override;
  void on_finished() override { ended_ = true; }
  void on_ready() override {}

  void add(std::string_view type, std::string json);
  void notice(std::string_view text);
  void show_own(const Say& said);
  void follow_roster(const FromRoom& event);
  void end(std::string_view type, std::string_view why);
  void pump();

  Host& host_;
  std::string tag_;
  Member member_;
  datagram::Driver driver_;
  IgnoreList ignored_;
  std::set<std::string, std::less<>> roster_;
  std::deque<Event> events_;
  const std::size_t& most_bytes_;
  std::size_t bytes_ = 0;
  std::uint64_t last_ = 0;  // number of the newest event
  std::uint64_t sent_ = 0;  // of the newest that the stream has
  Ear* ear_ = nullptr;
  TimePoint unheard_since_;
  bool ended_ = false;
  bool show_listing_ = false;
};

}  // namespace netkit::chat
