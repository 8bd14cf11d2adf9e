#include <push/payload.hpp>
#include <push/topic.hpp>

#include <netkit/util/big_endian.hpp>
#include <netkit/util/text.hpp>

namespace netkit::push {

namespace {

constexpr std::uint8_t kPayloadVersion = 1;
constexpr std::uint8_t kWithTopics = 2;  // the version of such requests

bool read_topics(big_endian::Reader& in, std::vector<std::string>& topics) {
  std::uint8_t count = 0;
  in.number(count);
  if (count == 0 || count > kMaxTopics) return false;
  for (std::uint8_t i = 0; i < count && in.good(); ++i) {
    std::string_view topic;
    in.short_text(topic);
    if (!in.good() || !why_not_a_filter(topic).empty()) return false;
    topics.emplace_back(topic);
  }
  return in.good();
}

}  // namespace

std::optional<std::string_view> clean_name(std::string_view text) {
  const std::string_view name = trim_white_space(text);
  if (name.empty() || name.size() > kMaxName || has_unseen(name)) return std::nullopt;
  return name;
}

std::string encode(const Request& request) {
  std::string out;
  big_endian::Writer writer(out);
  writer.number(request.topics.empty() ? kPayloadVersion : kWithTopics)
      .number(request.stream)
      .number(request.since);
  if (!request.topics.empty()) writer.number(static_cast<std::uint8_t>(request.topics.size()));
  for (const std::string& topic : request.topics) {
    writer.short_text(topic);
  }
  writer.rest(request.name);
  return out;
}

void encode(const Record& record, std::string& out) {
  big_endian::Writer writer(out);
  writer.number(static_cast<std::uint8_t>(record.kind)).number(record.number);
  if (record.kind == Record::Kind::missing) writer.number(record.last);
  if (record.kind != Record::Kind::record) return;
  writer.short_text(record.topic).rest(record.text);
}

std::optional<Record> decode_record(std::string_view payload) {
  std::uint8_t kind = 0;
  Record record;
  big_endian::Reader in(payload);
  in.number(kind).number(record.number);
  if (kind > static_cast<std::uint8_t>(Record::Kind::missing)) return std::nullopt;
  record.kind = static_cast<Record::Kind>(kind);
  if (record.kind == Record::Kind::missing) in.number(record.last);
  if (record.kind == Record::Kind::record) {
    in.short_text(record.topic).rest(record.text);
  }
  if (!in.good() || record.number == 0) return std::nullopt;
  if (record.kind == Record::Kind::missing && record.last < record.number) return std::nullopt;
  return record;
}

std::string encode(const Welcome& welcome) {
  std::string out;
  big_endian::Writer(out).number(kPayloadVersion).number(welcome.stream).number(welcome.first);
  return out;
}

std::optional<Request> decode_request(std::string_view payload) {
  std::uint8_t version = 0;
  Request request;
  big_endian::Reader in(payload);
  in.number(version).number(request.stream).number(request.since);
  if (version == kWithTopics && !read_topics(in, request.topics)) return std::nullopt;
  in.rest(request.name);
  const auto name = clean_name(request.name);
  const bool is_known = version == kPayloadVersion || version == kWithTopics;
  if (!in.good() || !is_known || !name) return std::nullopt;
  request.name = *name;
  return request;
}

std::optional<Welcome> decode_welcome(std::string_view payload) {
  std::uint8_t version = 0;
  Welcome welcome;
  std::string_view more;
  big_endian::Reader in(payload);
  in.number(version).number(welcome.stream).number(welcome.first).rest(more);
  if (!in.good() || version != kPayloadVersion || !more.empty()) return std::nullopt;
  return welcome;
}

}  // namespace netkit::push
