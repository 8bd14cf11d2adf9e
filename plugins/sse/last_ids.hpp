// The file of --state: the last event id of each URL, kept across runs.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace netkit::sse {

// One URL: the file holds its id and a newline. Several, or an id that would be taken for one of
// these: a line `URL ID` each. [one thread]
class LastIds {
 public:
  // What the file holds; one that is missing, or is a device, holds nothing. Throws SystemError,
  // and Error for a file that holds something else, which would be overwritten.
  static LastIds load(const std::string& path);

  // Whether it can be an id, which is a part of one line.
  static bool is_id(std::string_view text);

  // The id of a URL; empty: none. `only_one`: a file with an id alone is that of this URL.
  std::string of(const std::string& url, bool only_one) const;
  // The content of the file with these ids. Those of URLs that are not given stay.
  std::string updated(const std::map<std::string, std::string>& ids) const;

 private:
  std::map<std::string, std::string> ids_;
  std::string single_;
};

}  // namespace netkit::sse
