#include "base/progress.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.h"

namespace tracebench {
namespace {
volatile sig_atomic_t interrupt_count = 0;

void on_signal(int) {
    interrupt_count = interrupt_count + 1;
    if (interrupt_count > 1) _exit(130);
}
}  // namespace

void install_interrupt_handler() {
    struct sigaction action = {};
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return interrupt_count > 0; }

void Progress::check_interrupted() const {
    if (interrupted()) throw Interrupted();
}

std::string format_duration(double seconds) {
    if (seconds < 60) return fmt::format("{:.1f} s", seconds);
    const auto whole = static_cast<std::int64_t>(seconds + 0.5);
    if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
    return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

ConsoleProgress::ConsoleProgress(std::string title)
    : title_(std::move(title)), terminal_(isatty(STDERR_FILENO) != 0), start_(std::chrono::steady_clock::now()),
      last_(start_) {}

ConsoleProgress::~ConsoleProgress() {
    if (terminal_ && drawn_) fmt::print(stderr, "\r\033[K");
}

void ConsoleProgress::update(double done, double total, std::string_view unit, std::string_view detail) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> since_last = now - last_, elapsed = now - start_;
    if (since_last.count() < (terminal_ ? 0.1 : 10.0)) return;
    last_ = now;
    const double rate = elapsed.count() > 0 ? done / elapsed.count() : 0;
    std::string line = fmt::format("{}: {:.0f}", title_, done);
    if (total > 0) line += fmt::format(" of {:.0f}", total);
    line += fmt::format(" {} ({:.1f}/s", unit, rate);
    if (total > done && rate > 0) line += ", " + format_duration((total - done) / rate) + " left";
    line += ")";
    if (!detail.empty()) line += fmt::format(", {}", detail);
    if (terminal_) {
        fmt::print(stderr, "\r\033[K{}", line);
        drawn_ = true;
    } else {
        fmt::print(stderr, "{}\n", line);
    }
    std::fflush(stderr);
}

}  // namespace tracebench
