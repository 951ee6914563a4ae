#pragma once
/// How long work tells what it is doing, and how it is told to stop.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tracebench {

/// Passed to everything that takes more than a moment. The default says nothing.
class Progress {
  public:
    virtual ~Progress() = default;
    /// `done` of `total` `unit`s (total 0: unknown); `detail` is a short phrase such as "loss 1.92".
    virtual void update(double done, double total, std::string_view unit, std::string_view detail = {}) {
        (void)done, (void)total, (void)unit, (void)detail;
    }
    /// Throws Interrupted when the user asked to stop. Cheap: call it in every outer loop.
    void check_interrupted() const;
};

/// One line on standard error: redrawn in place with rate and ETA on a terminal, a plain line at most every
/// ten seconds otherwise.
class ConsoleProgress : public Progress {
  public:
    explicit ConsoleProgress(std::string title);
    ~ConsoleProgress() override;
    void update(double done, double total, std::string_view unit, std::string_view detail = {}) override;

  private:
    std::string title_;
    bool terminal_;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point start_, last_;
};

/// "1 h 02 min", "3 min 20 s", "4.2 s".
std::string format_duration(double seconds);

/// Makes SIGINT and SIGTERM set a flag that check_interrupted() reads; a second signal ends at once.
void install_interrupt_handler();
bool interrupted();

}  // namespace tracebench
