// A parsed template: what Template shares between its copies, and what record layouts are.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netkit/record/record.hpp>
#include <netkit/record/template.hpp>

namespace netkit {

class CompiledTemplate {
 public:
  // As Template::parse().
  CompiledTemplate(std::string_view source, std::string_view option,
                   std::span<const std::string_view> more_fields);

  // Any thread.
  void render(const Record& record, std::string& out, Escaping escaping) const;
  // For terminals, with the field `colored` in a colour that its value chooses.
  void render_colored(const Record& record, std::string& out, std::string_view colored) const;

  bool is_payload_only() const { return pieces_.size() == 1 && pieces_[0].kind == Kind::text; }
  bool is_constant() const;
  const std::string& source() const { return source_; }

 private:
  enum class Kind : std::uint8_t { literal, text, peer, ip, port, time, date, ctime, host, other };
  struct Piece {
    Kind kind;
    std::string text;  // a literal's bytes, a field's name
  };

  static Kind kind_of(std::string_view name);
  std::size_t parse_field(std::size_t at, std::string_view option,
                          std::span<const std::string_view> more_fields);
  std::size_t parse_escape(std::size_t at, std::string_view option);
  void add_literal(char byte);
  void render_piece(const Piece& piece, const Record& record, std::string& out, Escaping escaping,
                    bool keep_lf) const;
  void render_time(const Piece& piece, WallTime time, std::string& out) const;

  std::string source_;
  std::string host_;  // this machine's name
  std::vector<Piece> pieces_;
};

}  // namespace netkit
