#include "record/compiled_template.hpp"

#include "record/field_text.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

constexpr std::array<std::string_view, 12> kCommonFields = {
    "text", "name", "peer", "ip", "port", "seq", "time", "date", "ctime", "host", "event", "id"};

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

[[noreturn]] void refuse(std::string_view option, const std::string& what) {
  throw UsageError(fmt::format("{}: {}", option, what));
}

[[noreturn]] void refuse_field(std::string_view option, std::string_view name,
                               std::span<const std::string_view> more_fields) {
  std::vector<std::string_view> known(kCommonFields.begin(), kCommonFields.end());
  for (const std::string_view field : more_fields) {
    if (std::find(known.begin(), known.end(), field) == known.end()) known.push_back(field);
  }
  const std::string_view nearest = suggest(name, known);
  refuse(option,
         fmt::format("unknown field '{{{}}}'{} (there are {{{}}}; write {{{{ for a brace)", name,
                     nearest.empty() ? "" : fmt::format("; did you mean '{{{}}}'?", nearest),
                     fmt::join(known, "} {")));
}

// Colours of the 256-colour palette that are readable on black and on white.
constexpr std::array<std::string_view, 12> kColors = {"028", "031", "033", "061", "063", "094",
                                                      "099", "124", "130", "133", "161", "166"};
constexpr std::string_view kColorBegin = "\x1b[38;5;000m";
constexpr std::size_t kColorDigits = 7;  // where its number stands
constexpr std::string_view kColorEnd = "\x1b[39m";

std::string_view color_of(std::string_view value) {
  std::uint32_t hash = 2166136261U;  // FNV-1a: the same value has the same colour in every run
  for (const char c : value) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return kColors[hash % kColors.size()];
}

}  // namespace

CompiledTemplate::CompiledTemplate(std::string_view source, std::string_view option,
                                   std::span<const std::string_view> more_fields)
    : source_(source) {
  std::size_t at = 0;
  while (at < source_.size()) {
    if (source_[at] == '{') {
      at = parse_field(at, option, more_fields);
    } else if (source_[at] == '\\') {
      at = parse_escape(at, option);
    } else {
      add_literal(source_[at++]);
    }
  }
  const auto is_host = [](const Piece& piece) { return piece.kind == Kind::host; };
  if (std::any_of(pieces_.begin(), pieces_.end(), is_host)) host_ = host_name();
}

CompiledTemplate::Kind CompiledTemplate::kind_of(std::string_view name) {
  if (name == "text") return Kind::text;
  if (name == "peer") return Kind::peer;
  if (name == "ip") return Kind::ip;
  if (name == "port") return Kind::port;
  if (name == "time") return Kind::time;
  if (name == "date") return Kind::date;
  if (name == "ctime") return Kind::ctime;
  if (name == "host") return Kind::host;
  return Kind::other;
}

std::size_t CompiledTemplate::parse_field(std::size_t at, std::string_view option,
                                          std::span<const std::string_view> more_fields) {
  const std::string_view rest = std::string_view(source_).substr(at + 1);
  if (rest.starts_with('{')) {
    add_literal('{');
    return at + 2;
  }
  const std::size_t end = rest.find('}');
  if (end == std::string_view::npos) {
    refuse(option, fmt::format("'{{{}' has no closing brace (write {{{{ for a brace)", rest));
  }
  const std::string_view name = rest.substr(0, end);
  const auto has = [&](auto&& list) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (!has(kCommonFields) && !has(more_fields)) refuse_field(option, name, more_fields);
  pieces_.push_back({kind_of(name), std::string(name)});
  return at + end + 2;
}

std::size_t CompiledTemplate::parse_escape(std::size_t at, std::string_view option) {
  const std::string_view rest = std::string_view(source_).substr(at + 1);
  static constexpr std::string_view kLetters = "ntr0\\";
  static constexpr std::string_view kBytes("\n\t\r\0\\", 5);
  if (const std::size_t i = rest.empty() ? rest.npos : kLetters.find(rest[0]); i != rest.npos) {
    add_literal(kBytes[i]);
    return at + 2;
  }
  if (rest.starts_with('x') && rest.size() >= 3) {
    if (const auto byte = decode_hex(rest.substr(1, 2)); byte && byte->size() == 1) {
      add_literal(byte->front());
      return at + 4;
    }
  }
  const std::string_view shown = rest.substr(0, rest.starts_with('x') ? 3 : 1);
  refuse(option,
         fmt::format("unknown escape '\\{}' (there are \\n \\t \\r \\0 \\xHH \\\\)", shown));
}

void CompiledTemplate::add_literal(char byte) {
  if (pieces_.empty() || pieces_.back().kind != Kind::literal) {
    pieces_.push_back({Kind::literal, {}});
  }
  pieces_.back().text += byte;
}

bool CompiledTemplate::is_constant() const {
  return pieces_.empty() || (pieces_.size() == 1 && pieces_[0].kind == Kind::literal);
}

void CompiledTemplate::render_time(const Piece& piece, WallTime time, std::string& out) const {
  // Only a cache: what it gives depends on nothing but `time`.
  thread_local TimeFormatter formatter;
  if (piece.kind == Kind::time) {
    formatter.append_rfc3339(out, time);
  } else if (piece.kind == Kind::date) {
    formatter.append_local_date(out, time);
  } else {
    formatter.append_ctime(out, time);
  }
}

void CompiledTemplate::render_piece(const Piece& piece, const Record& record, std::string& out,
                                    Escaping escaping, bool keep_lf) const {
  switch (piece.kind) {
    case Kind::literal:
      out += piece.text;
      return;
    case Kind::text:
      if (!record.payload) break;
      return append_bytes(out, keep_lf ? *record.payload : one_line(*record.payload, escaping),
                          escaping, keep_lf);
    case Kind::peer:
      if (record.peer != nullptr) return record.peer->append_to(out);
      break;
    case Kind::ip:
      if (record.peer != nullptr) return record.peer->address().append_to(out);
      break;
    case Kind::port:
      if (record.peer != nullptr) return append_unsigned(out, record.peer->port());
      break;
    case Kind::time:
    case Kind::date:
    case Kind::ctime:
      return render_time(piece, record.time, out);
    case Kind::host:
      return append_bytes(out, host_, escaping, false);
    case Kind::other:
      break;
  }
  if (const FieldValue* value = find_field(record, piece.text)) append_value(out, *value, escaping);
}

void CompiledTemplate::render(const Record& record, std::string& out, Escaping escaping) const {
  bool first = true;
  for (const Piece& piece : pieces_) {
    render_piece(piece, record, out, escaping, first);
    first = false;
  }
}

void CompiledTemplate::render_colored(const Record& record, std::string& out,
                                      std::string_view colored) const {
  bool first = true;
  for (const Piece& piece : pieces_) {
    const bool in_color = piece.kind != Kind::literal && piece.text == colored;
    const std::size_t begin = out.size();
    if (in_color) out += kColorBegin;
    render_piece(piece, record, out, Escaping::text, first);
    if (in_color) {
      const std::string_view value = std::string_view(out).substr(begin + kColorBegin.size());
      color_of(value).copy(out.data() + begin + kColorDigits, 3);
      out += kColorEnd;
    }
    first = false;
  }
}

struct Template::Impl : CompiledTemplate {
  using CompiledTemplate::CompiledTemplate;
};

Template Template::parse(std::string_view source, std::string_view option,
                         std::span<const std::string_view> more_fields) {
  Template result;
  result.impl_ = std::make_shared<const Impl>(source, option, more_fields);
  return result;
}

void Template::render(const Record& record, std::string& out, Escaping escaping) const {
  impl_->render(record, out, escaping);
}

bool Template::is_payload_only() const {
  return impl_->is_payload_only();
}

bool Template::is_constant() const {
  return impl_->is_constant();
}

const std::string& Template::source() const {
  return impl_->source();
}

}  // namespace netkit
