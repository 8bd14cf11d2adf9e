#include "record/formatter.hpp"

#include "record/compiled_template.hpp"
#include "record/field_text.hpp"

#include <utility>
#include <vector>

#include <netkit/codec/binary_text.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/format.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

// As ==, where both are so short that a call would cost more than they do.
bool is_same_word(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// The entry of a record's type; records of one type come in runs.
template <typename Entry>
const Entry& entry_of(const std::vector<Entry>& entries, std::size_t& last, std::string_view type) {
  if (is_same_word(entries[last].type, type)) return entries[last];
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    if (entries[i].type == type) return entries[last = i];
  }
  return entries.back();  // of no type in particular
}

class TextFormatter final : public Formatter {
 public:
  TextFormatter(std::span<const RecordDef> definitions, bool colored, Escaping escaping)
      : escaping_(escaping), colored_(colored) {
    for (const RecordDef& definition : definitions) {
      const bool may_end_itself = escaping == Escaping::text && definition.newline_only_if_missing;
      entries_.push_back({definition.type, parse(definition), may_end_itself,
                          colored ? definition.colored_field : std::string_view()});
    }
    entries_.push_back({{}, CompiledTemplate("{text}", "layout", {}), false, {}});
  }

  void format(const Record& record, std::string& out) override {
    const Entry& entry = entry_of(entries_, last_, record.type);
    const bool as_it_is = entry.payload_only && record.payload && record.payload_is_printable &&
                          !record.line && !record.is_call && record.prefix.empty();
    if (!as_it_is) return format_by_all(record, entry, out);
    out += *record.payload;
    if (!record.is_piece) out += '\n';  // which no such payload has
  }

  std::optional<std::string_view> end_after_payload(const Record& record) override {
    const Entry& entry = entry_of(entries_, last_, record.type);
    if (!entry.payload_only || record.line || !record.prefix.empty() || record.is_call) return {};
    const bool unchanged = escaping_ == Escaping::none || record.payload_is_printable ||
                           is_shown_unchanged(*record.payload, true);
    if (!unchanged) return {};
    return record.is_piece ? std::string_view() : end_of(entry, *record.payload);
  }

 private:
  struct Entry {
    std::string_view type;
    CompiledTemplate layout;
    bool newline_only_if_missing;
    std::string_view colored_field;
    bool payload_only = layout.is_payload_only() && colored_field.empty();
  };

  // Apart from format(), which is fast as long as it is small.
  [[gnu::noinline]] void format_by_all(const Record& record, const Entry& entry,
                                       std::string& out) const {
    if (!record.line && entry.layout.source().empty()) return;  // text form does not show it
    out += record.prefix;
    record.is_call ? format_call(record, entry, out) : format_by_layout(record, entry, out);
  }

  void format_by_layout(const Record& record, const Entry& entry, std::string& out) const {
    if (record.line) {
      append_bytes(out, one_line(*record.line, escaping_), escaping_, false);
      out += '\n';
      return;
    }
    const std::size_t begin = out.size();
    if (entry.colored_field.empty()) {
      entry.layout.render(record, out, escaping_);
    } else {
      entry.layout.render_colored(record, out, entry.colored_field);
    }
    if (!record.is_piece) out += end_of(entry, std::string_view(out).substr(begin));
  }

  void format_call(const Record& record, const Entry& entry, std::string& out) const {
    out += colored_ ? "\a\x1b[1m" : "\a";
    format_by_layout(record, entry, out);
    if (!colored_) return;
    constexpr std::string_view kNormal = "\x1b[22m";
    out.insert(out.ends_with('\n') ? out.size() - 1 : out.size(), kNormal);
  }

  static std::string_view end_of(const Entry& entry, std::string_view shown) {
    return entry.newline_only_if_missing && shown.ends_with('\n') ? "" : "\n";
  }

  static CompiledTemplate parse(const RecordDef& definition) {
    std::vector<std::string_view> fields;
    for (const FieldDef& field : definition.fields) fields.push_back(field.name);
    try {
      return {definition.layout, "layout of record '" + std::string(definition.type) + "'", fields};
    } catch (const UsageError& error) {
      throw PluginError(error.what());
    }
  }

  Escaping escaping_;
  bool colored_;
  std::vector<Entry> entries_;
  std::size_t last_ = 0;
};

class JsonFormatter final : public Formatter {
 public:
  explicit JsonFormatter(std::span<const RecordDef> definitions) {
    for (const RecordDef& definition : definitions) {
      entries_.push_back(make_entry(definition.type, definition.payload_name));
    }
    entries_.push_back(make_entry({}, "text"));
  }

  void format(const Record& record, std::string& out) override {
    const Entry& entry = entry_of(entries_, last_, record.type);
    if (entry.type.empty()) {
      out += "{\"type\":";
      append_json_lossy(out, record.type);
      out += ",\"time\":\"";
    } else {
      out += entry.head;
    }
    time_.append_rfc3339(out, record.time);
    out += '"';
    if (record.peer != nullptr) {
      out += ",\"peer\":\"";
      record.peer->append_to(out);
      out += '"';
    }
    for (const Field& field : record.fields) {
      out += ",\"";
      out += field.name;
      out += "\":";
      append_json_value(out, field.value);
    }
    if (record.payload) append_payload(out, *record.payload, entry.payload_key);
    out += "}\n";
  }

 private:
  struct Entry {
    std::string_view type;
    std::string head;         // {"type":"…","time":"
    std::string payload_key;  // ,"text":
  };

  static Entry make_entry(std::string_view type, std::string_view payload_name) {
    Entry entry{type, "{\"type\":", ","};
    append_json_lossy(entry.head, type);
    entry.head += ",\"time\":\"";
    append_json_lossy(entry.payload_key, payload_name);
    entry.payload_key += ':';
    return entry;
  }

  static void append_payload(std::string& out, std::string_view payload, const std::string& key) {
    const std::size_t begin = out.size();
    out += key;
    if (append_json_string(out, payload)) return;
    out.resize(begin);
    out += ",\"base64\":\"";
    append_base64(out, payload);
    out += '"';
  }

  std::vector<Entry> entries_;
  std::size_t last_ = 0;
  TimeFormatter time_;
};

class RawFormatter final : public Formatter {
 public:
  void format(const Record& record, std::string& out) override {
    if (record.payload) out += *record.payload;
  }
  std::optional<std::string_view> end_after_payload(const Record& /*record*/) override {
    return std::string_view();
  }
};

class TemplateFormatter final : public Formatter {
 public:
  TemplateFormatter(Template source, TemplateUse use, std::span<const RecordDef> definitions,
                    std::unique_ptr<Formatter> others)
      : template_(std::move(source)), use_(use), others_(std::move(others)) {
    for (std::size_t i = 0; i < definitions.size(); ++i) {
      entries_.push_back({definitions[i].type, is_main_record(definitions[i], i)});
    }
    entries_.push_back({{}, true});
  }

  void format(const Record& record, std::string& out) override {
    if (!entry_of(entries_, last_, record.type).is_main) return others_->format(record, out);
    if (use_ == TemplateUse::bytes) return template_.render(record, out, Escaping::none);
    const std::size_t begin = out.size();
    const bool escapes = use_ == TemplateUse::lines;
    template_.render(record, out, escapes ? Escaping::text : Escaping::none);
    const bool has_end = escapes && out.size() != begin && out.back() == '\n';
    if (!has_end && !record.is_piece) out += '\n';
  }

 private:
  struct Entry {
    std::string_view type;
    bool is_main;
  };

  Template template_;
  TemplateUse use_;
  std::unique_ptr<Formatter> others_;
  std::vector<Entry> entries_;
  std::size_t last_ = 0;
};

}  // namespace

std::unique_ptr<Formatter> make_text_formatter(std::span<const RecordDef> definitions, bool colored,
                                               Escaping escaping) {
  return std::make_unique<TextFormatter>(definitions, colored, escaping);
}

std::unique_ptr<Formatter> make_json_formatter(std::span<const RecordDef> definitions) {
  return std::make_unique<JsonFormatter>(definitions);
}

std::unique_ptr<Formatter> make_raw_formatter() {
  return std::make_unique<RawFormatter>();
}

std::unique_ptr<Formatter> make_template_formatter(Template source, TemplateUse use,
                                                   std::span<const RecordDef> definitions,
                                                   std::unique_ptr<Formatter> others) {
  return std::make_unique<TemplateFormatter>(std::move(source), use, definitions,
                                             std::move(others));
}

}  // namespace netkit
