// The file of --state: the last event id of each URL, kept across runs.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace netkit::sse {

// One URL: the file holds its id and a newline. Several, or an id that would be taken for one of
// these: a line `URL ID` each. [one thread]
class StateFile {
 public:
  using Ids = std::map<std::string, std::string, std::less<>>;  // by URL

  // Reads what the file holds; one that is missing, or is a device, holds nothing. Throws
  // SystemError, and Error for a file that holds something else, which would be overwritten.
  explicit StateFile(std::string path);

  // The id of a URL; empty: none. `only_one`: a file with an id alone is that of this URL.
  std::string id_of(const std::string& url, bool only_one) const;
  // The stream of a URL begins after `id`, which need not be written until there is another.
  void begin(const std::string& url, std::string_view id) { written_[url] = id; }
  bool is_written(std::string_view url, std::string_view id) const;
  // Writes the ids, unless they stand there. Those of URLs that are not given stay. Returns an
  // error for people, or nothing.
  std::string write(Ids ids);

 private:
  void read_line(std::string_view line);
  std::string content_with(const Ids& ids) const;

  std::string path_;
  Ids ids_;                  // as the file had them
  std::string single_;       // the id of a file that holds nothing else
  bool has_single_ = false;  // which may be empty
  Ids written_;
};

}  // namespace netkit::sse
