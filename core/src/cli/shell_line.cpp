#include "cli/shell_line.hpp"

#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include <netkit/util/error.hpp>

namespace netkit {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kOperators = "|&;<>";

enum class PieceKind : std::uint8_t { word, bar, background, semicolon, redirection, open_quote };

struct Piece {
  PieceKind kind = PieceKind::word;
  std::string text{};
  Redirection redirection{};
  std::size_t begin = 0;
  std::size_t end = 0;
};

// Cuts a line into words and operators.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : line_(line) {}

  std::optional<Piece> next() {
    while (at_ < line_.size() && kBlanks.find(line_[at_]) != kBlanks.npos) ++at_;
    if (at_ == line_.size() || line_[at_] == '#') return std::nullopt;
    Piece piece{.begin = at_};
    if (!take_operator(piece)) take_word(piece);
    piece.end = at_;
    return piece;
  }

 private:
  bool take(std::string_view text) {
    if (!line_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  static bool redirect(Piece& piece, int fd, bool append) {
    piece.kind = PieceKind::redirection;
    piece.redirection.fd = fd;
    piece.redirection.append = append;
    return true;
  }

  bool take_operator(Piece& piece) {
    if (take("2>&1")) {
      piece.redirection.to_output = true;
      return redirect(piece, 2, false);
    }
    if (take("2>>")) return redirect(piece, 2, true);
    if (take("2>")) return redirect(piece, 2, false);
    if (take(">>")) return redirect(piece, 1, true);
    if (take(">")) return redirect(piece, 1, false);
    if (take("<")) return redirect(piece, 0, false);
    if (take("|")) return piece.kind = PieceKind::bar, true;
    if (take("&")) return piece.kind = PieceKind::background, true;
    if (take(";")) return piece.kind = PieceKind::semicolon, true;
    return false;
  }

  void take_word(Piece& piece) {
    while (at_ < line_.size()) {
      const char byte = line_[at_];
      if (kBlanks.find(byte) != kBlanks.npos || kOperators.find(byte) != kOperators.npos) return;
      ++at_;
      if (byte == '\'' || byte == '"') {
        if (!take_quoted(piece.text, byte)) piece.kind = PieceKind::open_quote;
      } else if (byte == '\\' && at_ < line_.size()) {
        piece.text += line_[at_++];
      } else {
        piece.text += byte;
      }
    }
  }

  bool take_quoted(std::string& text, char quote) {
    while (at_ < line_.size()) {
      char byte = line_[at_++];
      if (byte == quote) return true;
      const bool escape = quote == '"' && byte == '\\' && at_ < line_.size() &&
                          std::string_view("\"\\$`").find(line_[at_]) != std::string_view::npos;
      if (escape) byte = line_[at_++];
      text += byte;
    }
    return false;
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

// Puts the pieces together.
class Builder {
 public:
  explicit Builder(std::string_view line) : line_(line) {}

  void add(Piece piece) {
    if (wants_file_ && piece.kind != PieceKind::word && piece.kind != PieceKind::open_quote) {
      throw UsageError("a redirection needs a file name");
    }
    for (const char* const both : {"&&", "||"}) {
      if (line_.substr(piece.begin).starts_with(both)) {
        throw UsageError(fmt::format("'{}' is not supported (write ; between commands)", both));
      }
    }
    switch (piece.kind) {
      case PieceKind::open_quote:
        throw UsageError("a quote is not closed");
      case PieceKind::word:
        return add_word(std::move(piece));
      case PieceKind::redirection:
        wants_file_ = !piece.redirection.to_output;
        open_at(piece.begin);
        command_.redirections.push_back(piece.redirection);
        end_ = piece.end;
        return;
      case PieceKind::bar:
        return end_command("|");
      case PieceKind::background:
        return end_pipeline("&", true);
      case PieceKind::semicolon:
        return end_pipeline(";", false);
    }
  }

  std::vector<Pipeline> finish() {
    if (wants_file_) throw UsageError("a redirection needs a file name");
    const bool empty = command_.words.empty() && command_.redirections.empty();
    if (!empty || !pipeline_.commands.empty()) end_pipeline("the end", false);
    return std::move(pipelines_);
  }

 private:
  void open_at(std::size_t at) {
    const bool fresh = command_.words.empty() && command_.redirections.empty();
    if (fresh && pipeline_.commands.empty()) begin_ = at;
  }

  void add_word(Piece piece) {
    open_at(piece.begin);
    end_ = piece.end;
    if (!std::exchange(wants_file_, false)) {
      command_.words.push_back(std::move(piece.text));
      return;
    }
    if (piece.text.empty()) throw UsageError("a redirection needs a file name");
    command_.redirections.back().file = std::move(piece.text);
  }

  void end_command(std::string_view before) {
    if (command_.words.empty()) {
      throw UsageError("there is no command before " + std::string(before));
    }
    pipeline_.commands.push_back(std::exchange(command_, {}));
  }

  void end_pipeline(std::string_view before, bool background) {
    end_command(before);
    pipeline_.background = background;
    pipeline_.text = std::string(line_.substr(begin_, end_ - begin_));
    pipelines_.push_back(std::exchange(pipeline_, {}));
  }

  std::string_view line_;
  std::vector<Pipeline> pipelines_;
  Pipeline pipeline_;
  ShellCommand command_;
  bool wants_file_ = false;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

std::vector<Pipeline> parse_shell_line(std::string_view line) {
  if (line.find('\0') != line.npos) throw UsageError("the line contains a NUL byte");
  Scanner scanner(line);
  Builder builder(line);
  while (auto piece = scanner.next()) builder.add(std::move(*piece));
  return builder.finish();
}

OpenCommand open_command(std::string_view line) {
  OpenCommand open{.start = line.size()};
  Scanner scanner(line);
  bool is_file = false;
  bool at_word = false;
  while (auto piece = scanner.next()) {
    const bool word = piece->kind == PieceKind::word || piece->kind == PieceKind::open_quote;
    at_word = word && piece->end == line.size();
    if (at_word) open.start = piece->begin;
    if (!word) {
      is_file = piece->kind == PieceKind::redirection && !piece->redirection.to_output;
      if (!is_file) open.words.clear();
    } else if (!is_file) {
      open.words.push_back(std::move(piece->text));
    } else if (at_word) {
      open.words = {std::move(piece->text)};
    } else {
      is_file = false;
    }
  }
  open.is_file = is_file;
  if (!at_word && is_file) open.words.clear();
  if (!at_word) open.words.emplace_back();
  return open;
}

std::string quoted_word(std::string_view word) {
  const bool plain = !word.empty() && word.find_first_of(" \t\r\n|&;<>'\"\\#") == word.npos;
  if (plain) return std::string(word);
  std::string out = "'";
  for (const char byte : word) {
    if (byte == '\'') {
      out += "'\\''";
    } else {
      out += byte;
    }
  }
  return out + "'";
}

}  // namespace netkit
