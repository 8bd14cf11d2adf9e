#include <chat/history.hpp>

#include <netkit/util/error.hpp>
#include <netkit/util/text.hpp>

namespace netkit::chat {

void History::open(const std::string& path) {
  if (path.empty()) return;
  path_ = path;
  const int error = file_.open(path);
  if (error != 0) throw SystemError(error, "cannot open " + path + " (--history)");
}

void History::add(char direction, std::string_view who, std::string_view text, WallTime time) {
  if (!file_.is_open()) return;
  line_.clear();
  times_.append_rfc3339(line_, time);
  line_ += ' ';
  line_ += direction;
  line_ += ' ';
  const std::string name = escaped_text(who);
  for (const char c : name) {
    if (c == ' ') {
      line_ += "\\x20";
    } else if (c == '\t') {
      line_ += "\\x09";
    } else {
      line_ += c;
    }
  }
  line_ += ' ';
  escape_text(line_, text, false);
  line_ += '\n';
  const int error = file_.append(line_);
  if (error != 0) ++lost_;
  if (error != 0 && !failed_) {
    log_.error("cannot write " + path_ + " (--history): " + error_text(error));
  }
  failed_ = error != 0;
}

ExitStatus History::outcome(ExitStatus status) const {
  if (lost_ == 0 || status != ExitStatus::done) return status;
  throw Error(ExitStatus::output, std::to_string(lost_) + (lost_ == 1 ? " line is" : " lines are") +
                                      " missing in " + path_);
}

}  // namespace netkit::chat
