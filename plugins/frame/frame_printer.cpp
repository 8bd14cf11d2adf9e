#include <array>
#include <frame/frame_printer.hpp>
#include <span>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/format.hpp>

namespace netkit::frame {

namespace {

bool is_registration(const ShownFrame& frame) {
  return frame.id == kRegister && !frame.error && frame.body.size() == kAppidSize + kImeiSize;
}

constexpr std::string_view kBadCheck = "bad check: ";

// Whether records go to standard output alone, in the form that the format says.
bool to_stdout_alone(const Host& host) {
  return !host.values().given("to") && !host.values().given("template");
}

}  // namespace

ShownFrame shown_request(const FrameView& view, const CodecSpec& codec) {
  ShownFrame frame;
  frame.body = view.content;
  frame.length = view.length;
  frame.check = view.check;
  if (!codec.message_ids || view.content.empty()) return frame;
  frame.id = static_cast<std::int8_t>(view.content[0]);
  frame.body = view.content.substr(1);
  return frame;
}

ShownFrame shown_answer(const FrameView& view, const CodecSpec& codec) {
  ShownFrame frame = shown_request(view, codec);
  const auto answer = codec.message_ids ? parse_answer(view.content) : std::nullopt;
  if (!answer) return frame;
  frame.id = answer->id;
  frame.error = answer->error;
  frame.body = answer->body;
  return frame;
}

void append_frame_text(std::string& out, const ShownFrame& frame) {
  if (!frame.id) {
    out += frame.body;
    return;
  }
  out += id_name(*frame.id);
  if (is_registration(frame)) {
    out.append(" appid=").append(frame.body.substr(0, kAppidSize));
    out.append(" imei=").append(frame.body.substr(kAppidSize));
    return;
  }
  if (frame.error.value_or(kOk) != kOk) {
    out += " error ";
    append_signed(out, *frame.error);
  } else if (frame.error && frame.body.empty()) {
    out += " ok";
  }
  if (!frame.body.empty()) out.append(" ").append(frame.body);
}

FramePrinter::FramePrinter(Host& host, bool show_peer, Mark mark)
    : host_(&host),
      time_(host.clock().wall()),
      hex_(host.values().declared("hex") && host.values().flag("hex")),
      text_(host.output().format() == Format::text),
      wanted_(host.output().wanted()),
      lines_only_(text_ && to_stdout_alone(host)),
      payload_only_(host.output().format() == Format::raw && to_stdout_alone(host)),
      mark_(mark),
      show_peer_(show_peer) {}

void FramePrinter::print(const ShownFrame& frame, Where where) {
  if (text_ || where == Where::log) {
    line_.clear();
    if (show_peer_ && frame.peer != nullptr) {
      frame.peer->append_to(line_);
      line_ += ' ';
    }
    const bool out = frame.dir == "out";
    if (mark_ == Mark::direction || (mark_ == Mark::outgoing && out)) line_ += out ? "> " : "< ";
    if (frame.check == CheckResult::bad) line_ += kBadCheck;
    ShownFrame shown = frame;
    if (hex_) {
      hex_text_.clear();
      append_hex(hex_text_, frame.body);
      shown.body = hex_text_;
    }
    append_frame_text(line_, shown);
  }
  where == Where::log ? host_->log().info(line_) : emit(frame);
}

void FramePrinter::print(Direction direction, const FrameView& view, const CodecSpec& codec,
                         const Endpoint* peer, Where where) {
  if (!wanted_ && where == Where::output) return;
  const bool request = direction == Direction::to_server;
  ShownFrame frame = request ? shown_request(view, codec) : shown_answer(view, codec);
  frame.dir = request ? "out" : "in";
  frame.peer = peer;
  print(frame, where);
}

void FramePrinter::print_message(const ShownFrame& frame, std::string_view content,
                                 const CodecSpec& codec) {
  if (text_) {
    line_.clear();
    append_line(line_, {content, frame.length, {}, frame.check}, codec);
  }
  emit(frame);
}

void FramePrinter::append_line(std::string& out, const FrameView& view,
                               const CodecSpec& codec) const {
  if (view.check == CheckResult::bad) out += kBadCheck;
  append_message(out, view.content, codec, hex_);
}

void FramePrinter::print_bodies(std::string_view bodies) {
  Record record;
  record.type = "frame";
  record.time = time_;
  record.payload = bodies;
  host_->output().emit(record);
}

void FramePrinter::emit(const ShownFrame& frame) {
  if (payload_only_) {
    if (frame.check != CheckResult::bad) print_bodies(frame.body);
    return;
  }
  Record record;
  record.type = "frame";
  record.time = time_;
  if (lines_only_) {
    record.line = line_;
    return host_->output().emit(record);
  }
  record.payload = frame.body;
  std::array<Field, 6> fields;
  std::size_t count = 0;
  const auto add = [&](std::string_view name, FieldValue value) {
    fields[count++] = Field{name, value};
  };
  const std::string name = frame.id ? id_name(*frame.id) : std::string();
  if (!frame.dir.empty()) add("dir", frame.dir);
  if (frame.id) {
    add("id", std::int64_t{*frame.id});
    add("name", std::string_view(name));
  }
  if (frame.error) add("error", std::int64_t{*frame.error});
  add("length", frame.length);
  if (frame.check != CheckResult::none) add("check", to_text(frame.check));
  record.peer = frame.peer;
  record.fields = std::span(fields.data(), count);
  if (text_) record.line = line_;
  host_->output().emit(record);
}

}  // namespace netkit::frame
