#include "plugin/sandbox.hpp"

#include "cli/checks.hpp"
#include "cli/option_set.hpp"
#include "io/prompt.hpp"
#include "util/environment.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <filesystem>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string_view>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include <netkit/net/address_spec.hpp>
#include <netkit/util/error.hpp>
#include <netkit/util/file.hpp>
#include <netkit/util/text.hpp>

namespace netkit {
namespace {

namespace fs = std::filesystem;

// --- seccomp(2)

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

constexpr std::uint32_t kX32 = 0x40000000;  // the other set of numbers of x86-64

// Calls that no server makes, and those that affect the kernel, other processes and other users.
constexpr std::uint32_t kDenied[] = {
    __NR_acct,
    __NR_add_key,
    __NR_adjtimex,
    __NR_bpf,
    __NR_capset,
    __NR_chroot,
    __NR_clock_adjtime,
    __NR_clock_settime,
    __NR_delete_module,
    __NR_fanotify_init,
    __NR_finit_module,
    __NR_init_module,
    __NR_io_uring_enter,
    __NR_io_uring_register,
    __NR_io_uring_setup,
    __NR_kexec_load,
    __NR_keyctl,
    __NR_mount,
    __NR_move_mount,
    __NR_name_to_handle_at,
    __NR_open_by_handle_at,
    __NR_open_tree,
    __NR_perf_event_open,
    __NR_personality,
    __NR_pidfd_getfd,
    __NR_pivot_root,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_quotactl,
    __NR_reboot,
    __NR_request_key,
    __NR_setdomainname,
    __NR_setgid,
    __NR_setgroups,
    __NR_sethostname,
    __NR_setns,
    __NR_setregid,
    __NR_setresgid,
    __NR_setresuid,
    __NR_setreuid,
    __NR_settimeofday,
    __NR_setuid,
    __NR_swapoff,
    __NR_swapon,
    __NR_umount2,
    __NR_unshare,
    __NR_userfaultfd,
    __NR_vhangup,
#ifdef __x86_64__
    __NR_ioperm,
    __NR_iopl,
    __NR_modify_ldt,
#endif
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    __NR_ptrace,  // how LeakSanitizer looks at its own threads
#endif
};

constexpr std::uint32_t kProgramCalls[] = {__NR_execve, __NR_execveat};

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}

sock_filter answer(std::uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// Falls through where the comparison holds, else skips one.
sock_filter unless(std::uint16_t comparison, std::uint32_t value) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value, 0, 1);
}

// Denied calls fail with EPERM, so that a library that merely tries one continues.
std::vector<sock_filter> make_filter(bool programs) {
  constexpr std::uint32_t kRefuse = SECCOMP_RET_ERRNO | EPERM;
  std::vector<sock_filter> filter{
      load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
      answer(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
  };
#ifdef __x86_64__
  filter.insert(filter.end(), {unless(BPF_JGE, kX32), answer(kRefuse)});
#endif
  const auto deny = [&](std::uint32_t number) {
    filter.insert(filter.end(), {unless(BPF_JEQ, number), answer(kRefuse)});
  };
  for (const std::uint32_t number : kDenied) deny(number);
  if (!programs) {
    for (const std::uint32_t number : kProgramCalls) deny(number);
  }
  filter.push_back(answer(SECCOMP_RET_ALLOW));
  return filter;
}

// An errno, or 0.
int deny_system_calls(bool programs) {
  if (kArchitecture == 0) return ENOSYS;
  std::vector<sock_filter> filter = make_filter(programs);
  const sock_fprog program{static_cast<std::uint16_t>(filter.size()), filter.data()};
  const long done =
      ::syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  return done < 0 ? errno : done > 0 ? EBUSY : 0;
}

// --- landlock(7), whose header is older than the kernel in some systems

constexpr std::uint64_t kWriteFile = 1U << 1;
constexpr std::uint64_t kReadFile = 1U << 2;
constexpr std::uint64_t kReadFolder = 1U << 3;
constexpr std::uint64_t kRemoveFile = 1U << 5;
constexpr std::uint64_t kMakeFolder = 1U << 7;
constexpr std::uint64_t kMakeFile = 1U << 8;
constexpr std::uint64_t kMakeSocket = 1U << 9;
constexpr std::uint64_t kRefer = 1U << 13;      // from ABI 2 on
constexpr std::uint64_t kTruncate = 1U << 14;   // 3
constexpr std::uint64_t kConnectTcp = 1U << 1;  // 4

constexpr std::uint64_t kOfFirstAbi = (1U << 13) - 1;
constexpr std::uint64_t kRead = kReadFile | kReadFolder;
constexpr std::uint64_t kWrite =
    kRead | kWriteFile | kRemoveFile | kMakeFolder | kMakeFile | kMakeSocket | kRefer | kTruncate;
constexpr std::uint64_t kOfFiles = kWriteFile | kReadFile | kTruncate;

constexpr int kCreateVersion = 1;
constexpr int kRulePath = 1;
constexpr int kRulePort = 2;
constexpr std::uint16_t kDns = 53;

struct RulesetAttributes {
  std::uint64_t files;
  std::uint64_t network;  // from ABI 4 on
};

struct [[gnu::packed]] PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

struct PortRule {
  std::uint64_t allowed;
  std::uint64_t port;
};

class Landlock {
 public:
  // 0: the kernel has none.
  static long abi() {
    return std::max(0L, ::syscall(__NR_landlock_create_ruleset, nullptr, 0, kCreateVersion));
  }

  Landlock(long abi, bool any_port) {
    attributes_.files = kOfFirstAbi | (abi >= 2 ? kRefer : 0) | (abi >= 3 ? kTruncate : 0);
    attributes_.network = abi >= 4 && !any_port ? kConnectTcp : 0;
    const std::size_t size = abi >= 4 ? sizeof attributes_ : sizeof attributes_.files;
    rules_.reset(static_cast<int>(::syscall(__NR_landlock_create_ruleset, &attributes_, size, 0)));
  }

  // What does not exist needs no rule.
  void allow(const fs::path& path, std::uint64_t access) {
    const FileDescriptor fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!fd) return;
    std::error_code unknown;
    if (!fs::is_directory(path, unknown)) access &= kOfFiles;
    const PathRule rule{access & attributes_.files, fd.get()};
    ::syscall(__NR_landlock_add_rule, rules_.get(), kRulePath, &rule, 0);
  }

  void allow_port(std::uint16_t port) {
    if (attributes_.network == 0) return;
    const PortRule rule{kConnectTcp, port};
    ::syscall(__NR_landlock_add_rule, rules_.get(), kRulePort, &rule, 0);
  }

  // An errno, or 0.
  int enter() const {
    if (!rules_) return ENOSYS;
    return ::syscall(__NR_landlock_restrict_self, rules_.get(), 0) == 0 ? 0 : errno;
  }

 private:
  RulesetAttributes attributes_{};
  FileDescriptor rules_;
};

fs::path folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

int limit_files_and_ports(const SandboxNeeds& needs) {
  const long abi = Landlock::abi();
  if (abi == 0) return ENOSYS;
  if (::isatty(STDIN_FILENO) == 1) HistoryFile::make_folder();  // which cannot be made later
  Landlock landlock(abi, needs.any_port);
  for (const char* folder : {"/etc", "/usr", "/lib", "/lib64", "/proc", "/sys/class/net",
                             "/sys/devices/system/cpu", "/run/systemd/resolve", "/run/nscd"}) {
    landlock.allow(folder, kRead);
  }
  std::error_code unknown;
  // Often a link into /run; by its folder, as it is replaced when the network changes.
  landlock.allow(fs::weakly_canonical("/etc/resolv.conf", unknown).parent_path(), kRead);
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  landlock.allow(program.parent_path().parent_path(), kRead);  // its libraries
  landlock.allow("/dev", kRead | kWriteFile);
  landlock.allow(user_folder(UserFolder::state), kWrite);  // the history of the prompt
  if (needs.any_file) landlock.allow("/", kRead);
  for (const std::string& file : needs.files) {
    landlock.allow(folder_of(file), kWrite);
    landlock.allow(file, kWrite);
  }
  landlock.allow_port(kDns);
  for (const std::uint16_t port : needs.ports) landlock.allow_port(port);
  return landlock.enter();
}

// --- what the command line names

bool starts_programs(ValueKind kind, std::string_view text) {
  if (kind == ValueKind::command) return true;
  return (kind == ValueKind::source || kind == ValueKind::sink) && text.starts_with("exec:");
}

void add_file(SandboxNeeds& needs, ValueKind kind, std::string_view text) {
  if (kind == ValueKind::path) return needs.files.emplace_back(text), void();
  for (const std::string_view scheme : {"file:", "unix:", "serial:", "sqlite:"}) {
    if (!text.starts_with(scheme)) continue;
    text.remove_prefix(scheme.size());
    text = text.substr(0, text.find_first_of(",?"));
    // The last part of its path is a stream in it.
    const bool is_stream = kind == ValueKind::source || kind == ValueKind::sink;
    if (is_stream && scheme == "sqlite:") text = text.substr(0, text.rfind('/'));
    needs.files.emplace_back(text);
    return;
  }
}

// `HOST:PORT`, `PORT`, lists of them, and URLs, with the port that their scheme has.
void add_ports(SandboxNeeds& needs, std::string_view text) {
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::uint16_t>{"http:", 80}, {"https:", 443}}) {
    if (text.starts_with(scheme)) needs.ports.push_back(port);
  }
  if (text.starts_with("redis:") || text.starts_with("rediss:")) needs.any_port = true;
  while (!text.empty()) {
    const std::size_t end = text.find_first_of(",/?");
    const std::string_view word = text.substr(0, end);
    const std::size_t colon = word.rfind(':');
    const auto port = read_integer<std::uint16_t>(word.substr(colon == word.npos ? 0 : colon + 1));
    if (port) needs.ports.push_back(*port);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
}

// A port may be a service's name.
void add_address(SandboxNeeds& needs, ValueKind kind, std::string_view text) {
  try {
    needs.ports.push_back(AddressSpec::parse(text, role_of(kind)).port);
  } catch (const Error&) {  // a list, or something that only the command knows
  }
}

void add_value(SandboxNeeds& needs, const Values::Value* value) {
  if (value == nullptr) return;
  for (const std::string& text : value->texts) {
    if (starts_programs(value->kind, text)) needs.programs = true;
    add_file(needs, value->kind, text);
    add_ports(needs, text);
    if (is_address(value->kind)) add_address(needs, value->kind, text);
  }
}

}  // namespace

SandboxNeeds sandbox_needs(const ActionDef& action, const Values& values) {
  SandboxNeeds needs{.any_file = action.opens_any_file};
  const OptionSet options = effective_options(action);
  for (const OptionDef& option : options.all()) add_value(needs, values.find(option.name));
  for (const ArgumentDef& argument : action.arguments) {
    add_value(needs, values.find(argument.name));
  }
  return needs;
}

std::string enter_sandbox(const SandboxNeeds& needs) {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return "the kernel refuses no_new_privs: " + error_text(errno);
  }
  std::string missing;
  const auto note = [&missing](std::string_view what, int error) {
    if (error == 0) return;
    if (!missing.empty()) missing += "; ";
    missing += fmt::format("{}: {}", what, error_text(error));
  };
  // Before the filter, which leaves it no way to be refused.
  if (!needs.programs)
    note("access to files and ports cannot be restricted (Landlock)", limit_files_and_ports(needs));
  note("system calls cannot be filtered (seccomp)", deny_system_calls(needs.programs));
  return missing;
}

}  // namespace netkit
