#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gtest/gtest.h>

#include <netkit/util/file.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

// A folder of its own, and a limit on file sizes that stands in for a full disk.
class Files : public testing::Test {
 protected:
  Files() {
    std::string name = (fs::temp_directory_path() / "netkit-files-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    ::getrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  ~Files() override {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    fs::remove_all(folder_);
  }

  std::string Path(const char* name = "file") const { return (folder_ / name).string(); }
  void LimitFilesTo(rlim_t bytes) {
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  static std::string Content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static mode_t Mode(const std::string& path) {
    struct stat info = {};
    ::stat(path.c_str(), &info);
    return info.st_mode & 07777u;
  }
  std::ptrdiff_t FilesLeft() const {
    return std::distance(fs::directory_iterator(folder_), fs::directory_iterator());
  }

  fs::path folder_;
  rlimit before_{};
};

TEST_F(Files, AreReadWholeUpToTheLimit) {
  const std::string content(200'000, 'x');
  ASSERT_EQ(write_file_atomically(Path(), content), 0);
  const FileContent whole = read_file(Path(), content.size());
  EXPECT_EQ(whole.error, 0);
  EXPECT_EQ(whole.bytes, content);
  EXPECT_EQ(read_file(Path(), content.size() - 1).error, EFBIG);
}

TEST_F(Files, SayWhyTheyCannotBeRead) {
  EXPECT_EQ(read_file(Path("none"), 1).error, ENOENT);
  EXPECT_EQ(read_file(Path("."), 1).error, EISDIR);
}

TEST_F(Files, AreReplacedWholeAndPrivate) {
  EXPECT_EQ(write_file_atomically(Path(), "one"), 0);
  EXPECT_EQ(write_file_atomically(Path(), "two"), 0);
  EXPECT_EQ(Content(Path()), "two");
  EXPECT_EQ(Mode(Path()), 0600u);
  EXPECT_EQ(FilesLeft(), 1);
}

TEST_F(Files, StayAsTheyWereWhenTheDiskIsFull) {
  ASSERT_EQ(write_file_atomically(Path(), "old"), 0);
  LimitFilesTo(4);
  EXPECT_EQ(write_file_atomically(Path(), "new and longer"), EFBIG);
  EXPECT_EQ(Content(Path()), "old");
  EXPECT_EQ(FilesLeft(), 1);
}

TEST_F(Files, AreReplacedBehindASymbolicLink) {
  ASSERT_EQ(write_file_atomically(Path("real"), "old"), 0);
  fs::create_symlink("real", Path("link"));
  EXPECT_EQ(write_file_atomically(Path("link"), "new"), 0);
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Content(Path("real")), "new");
}

TEST_F(Files, AreWrittenInPlaceWhenTheyAreDevices) {
  EXPECT_EQ(write_file_atomically("/dev/full", "x"), ENOSPC);
  EXPECT_EQ(write_file_atomically("/dev/null", "x"), 0);
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(Files, AreRefusedWithAnErrno) {
  EXPECT_EQ(write_file_atomically(Path("missing/file"), "x"), ENOENT);
  AppendFile file;
  EXPECT_EQ(file.open(Path("missing/file")), ENOENT);
  EXPECT_FALSE(file.is_open());
}

TEST_F(Files, GrowByLines) {
  AppendFile file;
  ASSERT_EQ(file.open(Path()), 0);
  EXPECT_EQ(file.append("one\n"), 0);
  EXPECT_EQ(file.append("two\nthree\n"), 0);
  file.close();
  ASSERT_EQ(file.open(Path()), 0);
  EXPECT_EQ(file.append("four\n"), 0);
  EXPECT_EQ(Content(Path()), "one\ntwo\nthree\nfour\n");
  EXPECT_EQ(Mode(Path()), 0600u);
}

TEST_F(Files, EndWithAWholeLineWhenTheDiskIsFull) {
  AppendFile file;
  ASSERT_EQ(file.open(Path()), 0);
  ASSERT_EQ(file.append("one\n"), 0);
  LimitFilesTo(6);
  EXPECT_EQ(file.append("two three\n"), EFBIG);
  EXPECT_EQ(Content(Path()), "one\n");
}

TEST_F(Files, SayThatTheDiskIsFull) {
  AppendFile file;
  ASSERT_EQ(file.open("/dev/full"), 0);
  EXPECT_EQ(file.append("one\n"), ENOSPC);
}

TEST(DescriptorLimit, IsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{before.rlim_max < 64 ? before.rlim_max : 64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace netkit
