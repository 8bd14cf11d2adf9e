#include "datagram/dtls_wire.hpp"
#include "private_net.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace netkit::datagram {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PrivateTest : public PrivateNet {
 protected:
  Member& let_in(const std::string& name = "ann") {
    Member& member = join(identity_of(name));
    EXPECT_TRUE(run_until([&] { return member.client.connected(); }, 10s));
    return member;
  }
  // What the only member is told once no handshake succeeds.
  std::string refusal(Member& member) {
    EXPECT_TRUE(run_until([&] { return !member.losses.empty(); }, 11s));
    return member.losses.empty() ? "nothing" : member.losses[0].sentence("srv");
  }
};

TEST_F(PrivateTest, who_has_a_key_is_let_in_under_its_identity) {
  serve(keys_of(line_of("ann") + line_of("ben", '2')));
  let_in("ann");
  EXPECT_EQ(serving->gate->identity(serving->server.owner(serving->application.sessions[0])),
            "ann");
  EXPECT_EQ(serving->gate->counters().handshakes, 1U);
  EXPECT_THAT(serving->refused, IsEmpty());
}

TEST_F(PrivateTest, nothing_native_is_seen_on_the_way) {
  serve(keys_of(line_of("ann")));
  bool seen = false;
  tap = [&](const Endpoint&, const Endpoint&, const std::string& bytes) {
    seen = seen || !is_dtls(bytes) || bytes.find("hello") != bytes.npos;
  };
  Member& ann = let_in();
  say(ann, "hello");
  push("hello");
  run(1s);
  EXPECT_FALSE(seen);
  EXPECT_EQ(serving->application.heard.size(), 1U);
  EXPECT_EQ(ann.events.heard.size(), 1U);
}

TEST_F(PrivateTest, what_is_said_arrives_once_and_in_order_on_a_bad_wire) {
  serve(keys_of(line_of("ann") + line_of("ben", '2')));
  wire.loss = 0.2;
  wire.duplicate = 0.05;
  wire.reorder = 0.1;
  Member& ann = let_in();
  for (int i = 0; i < 500; ++i) {
    say(ann, std::to_string(i));
    push(std::to_string(i));
    run(5ms);
  }
  ASSERT_TRUE(run_until(
      [&] { return serving->application.heard.size() >= 500 && ann.events.heard.size() >= 500; }));
  for (std::size_t i = 0; i < 500; ++i) {
    ASSERT_EQ(serving->application.heard[i].text, std::to_string(i));
    ASSERT_EQ(ann.events.heard[i].text, std::to_string(i));
  }
}

TEST_F(PrivateTest, a_handshake_takes_seconds_at_worst_at_a_loss_of_a_fifth) {
  serve(keys_of(line_of("ann")));
  wire.loss = 0.2;
  std::vector<Duration> times;
  for (int i = 0; i < 60; ++i) {
    const TimePoint began = now;
    let_in();
    times.push_back(now - began);
    members.clear();
    serve(keys_of(line_of("ann")));
    in_transit.clear();
  }
  std::ranges::sort(times);
  EXPECT_LT(times[57], 5s);
}

TEST_F(PrivateTest, another_key_is_said_on_both_ends) {
  serve(keys_of(line_of("ann", '2')));
  Member& ann = join(identity_of("ann"));
  EXPECT_EQ(refusal(ann), "srv: refused: the server has another key of 'ann'");
  EXPECT_FALSE(ann.losses[0].again);
  EXPECT_EQ(ann.losses[0].status, ExitStatus::permission);
  run(3s);
  EXPECT_THAT(serving->refused, ElementsAre("its key of 'ann' is wrong"));
  EXPECT_EQ(serving->gate->peers(), 0U);
}

TEST_F(PrivateTest, an_unknown_identity_is_said_on_both_ends) {
  serve(keys_of(line_of("ann")));
  Member& ben = join(identity_of("ben"));
  EXPECT_EQ(refusal(ben), "srv: refused: the server has no key of 'ben'");
  EXPECT_THAT(serving->refused, ElementsAre("there is no key of 'ben'"));
}

TEST_F(PrivateTest, a_handshake_that_does_not_end_is_said_on_both_ends) {
  serve(keys_of(line_of("ann")));
  blocked = [&](const Endpoint& from, const std::string& bytes) {
    return from != server_address && bytes.find("\x14\xfe\xfd") != bytes.npos;  // its last flight
  };
  Member& ann = join(identity_of("ann"));
  EXPECT_EQ(refusal(ann),
            "srv: the handshake does not finish: does the server have the same key of 'ann'?");
  EXPECT_EQ(ann.losses[0].status, ExitStatus::permission);
  run(2s);
  EXPECT_THAT(serving->refused, ElementsAre("its handshake did not finish"));
  EXPECT_EQ(serving->gate->peers(), 0U);
}

TEST_F(PrivateTest, a_server_without_keys_says_so) {
  serve(std::nullopt);
  Member& ann = join(identity_of("ann"));
  EXPECT_EQ(refusal(ann),
            "srv: refused: the server has no keys (--psk-file), or no cipher in common");
  EXPECT_EQ(serving->refused[0],
            "it requests encryption, but this server has no keys (--psk-file)");
  EXPECT_THAT(serving->plain, IsEmpty());
}

TEST_F(PrivateTest, a_client_without_a_key_is_told_so) {
  serve(keys_of(line_of("ann")));
  Member& ben = join(std::nullopt);
  run(1s);
  EXPECT_THAT(ben.events.log, ElementsAre("rejected 4 this server requires a key (--psk-file)"));
  EXPECT_EQ(serving->refused[0],
            "it is not encrypted, but this server requires a key (--psk-file)");
}

TEST_F(PrivateTest, who_speaks_plain_text_is_told_in_no_more_bytes_and_seldom) {
  serve(keys_of(line_of("ann")), false);
  std::vector<std::string> answers;
  tap = [&](const Endpoint&, const Endpoint&, const std::string& bytes) {
    answers.push_back(bytes);
    inject(endpoint(7000), server_address, bytes);  // by another such server, say
  };
  for (const char* text : {"reg", "hello, is there anybody to talk to?"}) {
    inject(endpoint(7000), server_address, text);
  }
  run(1ms);
  EXPECT_THAT(answers, ElementsAre("\x15ke", "\x15key needed (--psk-file)\n"));
  for (int i = 0; i < 1000; ++i) inject(endpoint(7000), server_address, "hello");
  run(1ms);
  EXPECT_LT(answers.size(), 10U);
  EXPECT_THAT(serving->plain, IsEmpty());
}

TEST_F(PrivateTest, nobody_there_is_no_refusal) {
  Member& ann = join(identity_of("ann"));
  EXPECT_EQ(refusal(ann), "srv: no answer");
  EXPECT_TRUE(ann.losses[0].again);
  EXPECT_EQ(ann.losses[0].status, ExitStatus::unreachable);
}

TEST_F(PrivateTest, a_client_that_was_started_anew_on_its_port_comes_back) {
  serve(keys_of(line_of("ann")));
  const Endpoint address = let_in().address;
  members.clear();
  Member& again = join(identity_of("ann"));
  EXPECT_EQ(again.address, address);
  EXPECT_TRUE(run_until([&] { return again.client.connected(); }, 2s));
  push("hello");
  EXPECT_TRUE(run_until([&] { return !again.events.heard.empty(); }, 2s));
}

TEST_F(PrivateTest, a_server_that_was_started_anew_is_noticed_at_once) {
  serve(keys_of(line_of("ann")));
  Member& ann = let_in();
  run(2s);
  serve(keys_of(line_of("ann")));
  say(ann, "are you there?");
  EXPECT_TRUE(run_until(
      [&] { return !ann.events.log.empty() && ann.events.log.back() == "left reset"; }, 3s));
}

TEST_F(PrivateTest, who_is_revoked_is_put_out_at_once_and_does_not_come_back) {
  serve(keys_of(line_of("ann") + line_of("ben", '2')));
  Member& ann = let_in();
  serving->gate->set_keys(keys_of(line_of("ben", '2')));
  EXPECT_TRUE(run_until([&] { return ann.events.log.back() == "left forbidden revoked"; }, 1s));
  ann.begin();
  EXPECT_EQ(refusal(ann), "srv: refused: the server has no key of 'ann'");
}

TEST_F(PrivateTest, who_keeps_his_key_stays) {
  serve(keys_of(line_of("ann") + line_of("ben", '2')));
  Member& ann = let_in();
  serving->gate->set_keys(keys_of(line_of("ann")));
  push("still here");
  EXPECT_TRUE(run_until([&] { return ann.events.heard.size() == 1; }, 1s));
}

TEST_F(PrivateTest, nothing_is_kept_of_who_returns_no_cookie) {
  serve(keys_of(line_of("ann")));
  std::string hello;
  tap = [&](const Endpoint& from, const Endpoint&, const std::string& bytes) {
    if (from != server_address && hello.empty()) hello = bytes;
  };
  join(identity_of("ann"));
  flush();
  members.clear();
  in_transit.clear();
  std::size_t answered = 0;
  tap = [&](const Endpoint&, const Endpoint&, const std::string& bytes) {
    EXPECT_LE(bytes.size(), hello.size());
    ++answered;
  };
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    inject(endpoint(port, "10.9.9.9"), server_address, hello);
  }
  run(1s);
  EXPECT_EQ(answered, 1000U);
  EXPECT_EQ(serving->gate->peers(), 0U);
}

// A cookie is of an address and a part of what is chosen at random.
TEST_F(PrivateTest, one_cookie_does_not_begin_handshakes_without_end) {
  serve(keys_of(line_of("ann")));
  std::string hello;
  tap = [&](const Endpoint& from, const Endpoint&, const std::string& bytes) {
    const auto decoded = decode_client_hello(bytes);
    if (from != server_address && decoded && !decoded->cookie.empty()) hello = bytes;
  };
  join(identity_of("ann"));
  ASSERT_TRUE(run_until([&] { return !hello.empty(); }, 1s));
  tap = {};
  constexpr std::size_t kRandomEnds = 13 + 12 + 2 + 32;
  for (int i = 0; i < 100; ++i) {
    ++hello[kRandomEnds - 1];
    inject(endpoint(7000), server_address, hello);
    inject(members.front()->address, server_address, hello);
  }
  run(10ms);
  EXPECT_GE(serving->refused.size(), 90U);
}

TEST_F(PrivateTest, a_record_of_nobody_gets_no_more_bytes_than_it_has) {
  serve(keys_of(line_of("ann")));
  std::vector<std::size_t> answers;
  tap = [&](const Endpoint&, const Endpoint&, const std::string& bytes) {
    answers.push_back(bytes.size());
  };
  for (std::size_t size = 0; size < 4; ++size) {
    std::string record("\x17\xfe\xfd\0\1\0\0\0\0\0\1\0", 12);
    record += static_cast<char>(size);
    inject(endpoint(7000), server_address, record + std::string(size, 'x'));
  }
  run(1ms);
  EXPECT_THAT(answers, ElementsAre(15U, 15U)) << "an alert, to what is as long";
}

TEST_F(PrivateTest, a_handshake_that_comes_again_begins_nothing_and_ends_nothing) {
  serve(keys_of(line_of("ann")));
  std::vector<std::string> sent;
  tap = [&](const Endpoint& from, const Endpoint&, const std::string& bytes) {
    if (from != server_address) sent.push_back(bytes);
  };
  Member& ann = let_in();
  std::size_t shaken = 0;
  tap = [&](const Endpoint& from, const Endpoint& to, const std::string& bytes) {
    if (from == server_address && to == ann.address && bytes.front() == '\x16') ++shaken;
  };
  for (const std::string& bytes : sent) {
    inject(ann.address, server_address, bytes);
    inject(endpoint(999, "10.9.9.9"), server_address, bytes);
  }
  run(12s);
  EXPECT_EQ(shaken, 0U);
  EXPECT_EQ(serving->gate->peers(), 1U);
  push("hello");
  EXPECT_TRUE(run_until([&] { return ann.events.heard.size() == 1; }, 1s));
  EXPECT_THAT(serving->application.left, IsEmpty());
}

TEST_F(PrivateTest, forged_datagrams_do_nothing) {
  serve(keys_of(line_of("ann")));
  Member& ann = let_in();
  std::string alert;
  for (const Alert code : {Alert::close_notify, Alert::bad_record_mac, Alert::decrypt_error,
                           Alert::handshake_failure, Alert::unknown_psk_identity}) {
    encode_alert(code, 1, alert);
    inject(ann.address, server_address, alert);
    inject(server_address, ann.address, alert);
  }
  inject(ann.address, server_address,
         std::string("\x17\xfe\xfd\0\1\0\0\0\0\0\x63\0\x20", 13) + std::string(32, 'x'));
  run(5s);
  EXPECT_EQ(serving->gate->counters().handshakes, 1U);
  EXPECT_THAT(ann.losses, IsEmpty());
  push("hello");
  EXPECT_TRUE(run_until([&] { return ann.events.heard.size() == 1; }, 1s));
}

TEST_F(PrivateTest, the_session_goes_on_from_another_address) {
  serve(keys_of(line_of("ann")));
  Member& ann = let_in();
  for (int i = 0; i < 5; ++i) {
    ann.address = endpoint(static_cast<std::uint16_t>(50000 + i), "10.7.7." + std::to_string(i));
    run(1100ms);
    say(ann, "mine " + std::to_string(i));
    push("yours " + std::to_string(i));
    run(3s);
  }
  ASSERT_TRUE(run_until(
      [&] { return serving->application.heard.size() == 5 && ann.events.heard.size() == 5; }));
  EXPECT_EQ(serving->application.names.size(), 1U) << "one session all the time";
  EXPECT_EQ(ann.events.log.size(), 1U);
}

TEST_F(PrivateTest, who_goes_on_from_elsewhere_exchanges_no_keys) {
  serve(keys_of(line_of("ann")));
  wire.loss = 0.2;
  wire.duplicate = 0.05;
  wire.reorder = 0.1;
  Member& ann = let_in();
  const std::uint64_t before = serving->gate->counters().handshakes;
  for (int i = 0; i < 5; ++i) {
    ann.address = endpoint(static_cast<std::uint16_t>(50000 + i), "10.7.7." + std::to_string(i));
    say(ann, "mine " + std::to_string(i));
    push("yours " + std::to_string(i));
    run(4s);
  }
  ASSERT_TRUE(run_until(
      [&] { return serving->application.heard.size() == 5 && ann.events.heard.size() == 5; }));
  EXPECT_EQ(serving->application.names.size(), 1U) << "one session all the time";
  EXPECT_GE(serving->gate->counters().resumed, 5U);
  EXPECT_EQ(serving->gate->counters().handshakes, before + serving->gate->counters().resumed);
}

TEST_F(PrivateTest, a_resumed_handshake_whose_last_word_is_lost_ends_all_the_same) {
  serve(keys_of(line_of("ann")));
  Member& ann = let_in();
  int lost = 0;
  blocked = [&](const Endpoint& from, const std::string& bytes) {
    return from == ann.address && bytes[0] == 20 && ++lost < 3;  // ChangeCipherSpec, Finished
  };
  ann.address = endpoint(50000, "10.7.7.7");
  EXPECT_TRUE(run_until([&] { return serving->gate->counters().resumed == 1; }));
  EXPECT_EQ(lost, 3);
  push("hello");
  EXPECT_TRUE(run_until([&] { return ann.events.heard.size() == 1; }, 2s));
}

TEST_F(PrivateTest, an_answer_to_an_earlier_handshake_does_no_harm) {
  for (const Duration delay : {0us, 1500us}) {  // with the next one's cookie, and before its answer
    serve(keys_of(line_of("ann")));
    std::string old;
    blocked = [&](const Endpoint& from, const std::string& bytes) {
      const bool is_answer = from == server_address && bytes[0] == 22 && bytes.size() > 100;
      if (!is_answer || !old.empty()) return false;
      old = bytes;
      return true;
    };
    Member& ann = join(identity_of("ann"));
    run(160ms);
    std::string alert;
    encode_alert(Alert::bad_record_mac, 1, alert);
    inject(server_address, ann.address, alert);
    run(delay);
    inject(server_address, ann.address, old);
    EXPECT_TRUE(run_until([&] { return ann.client.connected(); }, 10s));
    EXPECT_THAT(ann.losses, IsEmpty());
    members.clear();
  }
}

TEST_F(PrivateTest, answers_to_an_earlier_handshake_that_keep_coming_do_no_harm) {
  serve(keys_of(line_of("ann")));
  std::string old;
  Endpoint client;
  blocked = [&](const Endpoint& from, const std::string& bytes) {
    if (from != server_address || bytes[0] != 22) return false;
    const bool is_answer = bytes.size() > 100;
    if (is_answer && old.empty()) {
      old = bytes;
      return true;
    }
    // Behind each cookie, and before the answer to it.
    if (!is_answer && !old.empty()) {
      in_transit.emplace(now + wire.delay + 100us, Transit{server_address, client, old});
    }
    return false;
  };
  Member& ann = join(identity_of("ann"));
  client = ann.address;
  run(160ms);
  std::string alert;
  encode_alert(Alert::bad_record_mac, 1, alert);
  inject(server_address, ann.address, alert);
  EXPECT_TRUE(run_until([&] { return ann.client.connected(); }, 1s));
  EXPECT_THAT(ann.losses, IsEmpty());
}

TEST_F(PrivateTest, the_last_flight_of_an_earlier_handshake_ends_none) {
  serve(keys_of(line_of("ann")));
  const auto is_last = [&](const Endpoint& from, const std::string& bytes) {
    return from != server_address && bytes.find("\x14\xfe\xfd") != bytes.npos;
  };
  std::string old;
  tap = [&](const Endpoint& from, const Endpoint&, const std::string& bytes) {
    if (old.empty() && is_last(from, bytes)) old = bytes;
  };
  Member& ann = let_in();
  run(1100ms);
  blocked = is_last;
  std::string alert;
  encode_alert(Alert::bad_record_mac, 1, alert);
  inject(server_address, ann.address, alert);  // so that it shakes hands again
  run(100ms);
  for (int i = 0; i < 3; ++i) inject(ann.address, server_address, old);
  run(1ms);
  blocked = nullptr;
  EXPECT_TRUE(run_until([&] { return serving->gate->counters().handshakes == 2; }, 2s));
  EXPECT_THAT(serving->refused, IsEmpty());
  EXPECT_THAT(ann.losses, IsEmpty());
}

TEST_F(PrivateTest, nobody_goes_on_by_a_key_that_is_another_now) {
  serve(keys_of(line_of("ann")));
  Member& ann = let_in();
  serving->gate->set_keys(keys_of(line_of("ann", '2')));
  EXPECT_TRUE(run_until([&] { return ann.events.log.back() == "left forbidden revoked"; }, 1s));
  ann.begin();
  EXPECT_EQ(refusal(ann), "srv: refused: the server has another key of 'ann'");
  EXPECT_EQ(serving->gate->counters().resumed, 0U);
}

TEST_F(PrivateTest, who_is_revoked_during_the_handshake_is_not_let_in) {
  serve(keys_of(line_of("ann") + line_of("ben", '2')));
  blocked = [&](const Endpoint& from, const std::string& bytes) {
    return from == server_address && bytes[0] == 20;  // the client does not hear that it is done
  };
  join(identity_of("ann"));
  run(1s);
  serving->gate->set_keys(keys_of(line_of("ben", '2')));
  run(12s);
  EXPECT_EQ(serving->gate->counters().handshakes, 0U);
  EXPECT_EQ(serving->gate->peers(), 0U);
}

TEST_F(PrivateTest, peers_that_are_silent_are_forgotten) {
  serve(keys_of(line_of("ann")));
  let_in();
  members.clear();
  run(200s);
  EXPECT_EQ(serving->gate->peers(), 0U);
  EXPECT_EQ(serving->gate->next_deadline(), TimePoint::max());
}

}  // namespace
}  // namespace netkit::datagram
