#include "base/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/progress.h"

namespace tracebench {
namespace fs = std::filesystem;
namespace {

/// A pipe whose ends close on exec and when the object goes.
struct Pipe {
    int ends[2] = {-1, -1};
    Pipe() {
        if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error(std::string("pipe: ") + std::strerror(errno));
    }
    ~Pipe() {
        close(0);
        close(1);
    }
    void close(int end) {
        if (ends[end] >= 0) ::close(ends[end]);
        ends[end] = -1;
    }
};

void limit(int resource, std::uint64_t bytes) {
    if (bytes == 0) return;
    const rlimit value{bytes, bytes};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &value);
}

/// After fork: only async-signal-safe calls. Reports errno through `failure` when exec does not happen.
[[noreturn]] void become(const ProcessRequest& request, char* const* arguments, Pipe& in, Pipe& out, Pipe& err,
                         int failure) {
    ::setpgid(0, 0);
    ::dup2(in.ends[0], STDIN_FILENO);
    ::dup2(out.ends[1], STDOUT_FILENO);
    ::dup2(err.ends[1], STDERR_FILENO);
    limit(RLIMIT_AS, request.memory_bytes);
    limit(RLIMIT_FSIZE, request.file_bytes);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGINT, SIG_DFL);
    ::signal(SIGTERM, SIG_DFL);
    if (request.working_folder.empty() || ::chdir(request.working_folder.c_str()) == 0)
        ::execvp(arguments[0], arguments);
    const int error = errno;
    [[maybe_unused]] const auto written = ::write(failure, &error, sizeof error);
    ::_exit(127);
}

std::uint64_t folder_size(const fs::path& folder) {
    std::uint64_t total = 0;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        if (entry->is_regular_file(ignored)) total += entry->file_size(ignored);
    }
    return total;
}

/// Keeps the end of what arrives: errors are explained last.
void append_tail(std::string& kept, const char* data, std::size_t size, std::size_t most) {
    kept.append(data, size);
    if (kept.size() > most) kept.erase(0, kept.size() - most);
}

class Conversation {
  public:
    Conversation(const ProcessRequest& request, pid_t child, Pipe& in, Pipe& out, Pipe& err)
        : request_(request), child_(child), in_(in), out_(out), err_(err) {
        ::fcntl(in_.ends[1], F_SETFL, O_NONBLOCK);
        if (request_.input.empty()) in_.close(1);
    }

    ProcessResult run() {
        const auto start = std::chrono::steady_clock::now();
        double next_look = 0.5;
        while (true) {
            exchange();
            if (const pid_t ended = ::waitpid(child_, &status_, WNOHANG); ended == child_) break;
            const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            if (interrupted()) {
                stop();
                throw Interrupted();
            }
            if (request_.timeout_s > 0 && elapsed > request_.timeout_s) {
                stop();
                result_.end = ProcessResult::End::timed_out;
                break;
            }
            if (request_.watched_bytes > 0 && elapsed > next_look) {
                next_look = elapsed + 0.5;
                if (folder_size(request_.watched_folder) > request_.watched_bytes) {
                    stop();
                    result_.end = ProcessResult::End::output_too_large;
                    break;
                }
            }
        }
        // Whatever it left running in its group goes with it.
        ::kill(-child_, SIGKILL);
        drain();
        result_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (result_.end == ProcessResult::End::not_started) settle();
        return std::move(result_);
    }

  private:
    void settle() {
        if (WIFEXITED(status_)) {
            result_.end = ProcessResult::End::exited;
            result_.code = WEXITSTATUS(status_);
        } else {
            result_.end = ProcessResult::End::signalled;
            result_.code = WTERMSIG(status_);
            if (result_.code == SIGXFSZ) result_.end = ProcessResult::End::output_too_large;
        }
        if (request_.watched_bytes > 0 && folder_size(request_.watched_folder) > request_.watched_bytes)
            result_.end = ProcessResult::End::output_too_large;
    }

    void stop() {
        ::kill(-child_, SIGKILL);
        ::waitpid(child_, &status_, 0);
    }

    /// Waits up to 50 ms for the child to read or write.
    void exchange() {
        std::array<pollfd, 3> polled = {pollfd{in_.ends[1], POLLOUT, 0}, pollfd{out_.ends[0], POLLIN, 0},
                                        pollfd{err_.ends[0], POLLIN, 0}};
        if (::poll(polled.data(), polled.size(), 50) <= 0) return;
        if (polled[0].revents != 0) feed();
        if (polled[1].revents != 0) take(out_, result_.output);
        if (polled[2].revents != 0) take(err_, result_.errors);
    }

    void feed() {
        const ssize_t written = ::write(in_.ends[1], request_.input.data() + fed_, request_.input.size() - fed_);
        if (written > 0) fed_ += static_cast<std::size_t>(written);
        const bool gave_up = written < 0 && errno != EAGAIN && errno != EINTR;  // it does not want to read: its right
        if (fed_ == request_.input.size() || gave_up) in_.close(1);
    }

    bool take(Pipe& pipe, std::string& kept) {
        char block[4096];
        const ssize_t size = ::read(pipe.ends[0], block, sizeof block);
        if (size > 0) append_tail(kept, block, static_cast<std::size_t>(size), request_.output_limit);
        if (size == 0) pipe.close(0);
        return size > 0;
    }

    void drain() {
        for (auto [pipe, kept] : {std::pair(&out_, &result_.output), std::pair(&err_, &result_.errors)}) {
            if (pipe->ends[0] < 0) continue;
            ::fcntl(pipe->ends[0], F_SETFL, O_NONBLOCK);
            while (pipe->ends[0] >= 0 && take(*pipe, *kept)) {
            }
        }
    }

    const ProcessRequest& request_;
    pid_t child_;
    Pipe &in_, &out_, &err_;
    ProcessResult result_;
    std::size_t fed_ = 0;
    int status_ = 0;
};

}  // namespace

std::string ProcessResult::outcome() const {
    switch (end) {
        case End::exited: return fmt::format("exit code {}", code);
        case End::signalled: return fmt::format("killed by signal {} ({})", code, ::strsignal(code));
        case End::timed_out: return fmt::format("no end within {:.0f} s", seconds);
        case End::output_too_large: return "wrote more than it may";
        case End::not_started: return fmt::format("cannot be started: {}", std::strerror(code));
    }
    return "unknown";
}

ProcessResult run_process(const ProcessRequest& request) {
    Pipe in, out, err, failure;
    std::vector<char*> arguments;
    for (const std::string& argument : request.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    // A child that closes its input early must not end us.
    ::signal(SIGPIPE, SIG_IGN);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
    if (child == 0) become(request, arguments.data(), in, out, err, failure.ends[1]);
    ::setpgid(child, child);
    in.close(0);
    out.close(1);
    err.close(1);
    failure.close(1);
    int error = 0;
    ssize_t got;
    do got = ::read(failure.ends[0], &error, sizeof error);
    while (got < 0 && errno == EINTR);
    if (got == sizeof error) {
        ::waitpid(child, nullptr, 0);
        ProcessResult result;
        result.code = error;
        return result;
    }
    return Conversation(request, child, in, out, err).run();
}

}  // namespace tracebench
