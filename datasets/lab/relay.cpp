// SPDX-License-Identifier: Apache-2.0
//
// relay: one network path in user space.
//
// Two TUN devices, one on the client's side and one on the servers' side; what
// is read from one is written to the other after the path has done its work:
// a drop-tail queue before a bottleneck of fixed rate, random loss on the wire,
// a fixed delay, a slowly moving jitter, and a number of router hops. It does
// the work of tc-netem and tc-tbf on kernels built without them.
//
// The two devices may live in network namespaces of their own, so a packet can
// only get from one side to the other through here.

#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

using Nanos = std::int64_t;
using Packet = std::vector<std::uint8_t>;

constexpr double kNanosPerMs = 1e6;
constexpr Nanos kNanosPerSecond = 1'000'000'000;

Nanos now() {
    timespec ts{};
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return static_cast<Nanos>(ts.tv_sec) * kNanosPerSecond + ts.tv_nsec;
}

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

// ---------------------------------------------------------------------------
// A TUN device, opened in the namespace it lives in.

class Tun {
public:
    // `place` is "DEVICE" or "NAMESPACE:DEVICE", with a name as `ip netns` uses.
    explicit Tun(const std::string& place) {
        const auto colon = place.find(':');
        const std::string device = colon == std::string::npos ? place : place.substr(colon + 1);
        // An open TUN descriptor stays bound to its device, so the process can
        // go back to its own namespace as soon as the device is attached.
        const int home = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        if (home < 0) fail("own namespace");
        if (colon != std::string::npos) enter("/run/netns/" + place.substr(0, colon));

        fd_ = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
        if (fd_ < 0) fail("/dev/net/tun");
        ifreq request{};
        request.ifr_flags = IFF_TUN | IFF_NO_PI;
        if (device.size() >= sizeof request.ifr_name) throw std::invalid_argument("device name: " + device);
        std::memcpy(request.ifr_name, device.data(), device.size());
        if (::ioctl(fd_, TUNSETIFF, &request) < 0) fail("attach " + place);

        if (::setns(home, CLONE_NEWNET) < 0) fail("return to own namespace");
        ::close(home);
    }
    ~Tun() { ::close(fd_); }
    Tun(const Tun&) = delete;
    Tun& operator=(const Tun&) = delete;

    int fd() const { return fd_; }

    bool read(Packet& out) const {
        std::array<std::uint8_t, 65536> buffer;
        const ssize_t n = ::read(fd_, buffer.data(), buffer.size());
        if (n <= 0) return false;
        out.assign(buffer.begin(), buffer.begin() + n);
        return true;
    }

    // A failed write is a packet lost at a full device, as on a real interface.
    void write(const Packet& p) const { (void)!::write(fd_, p.data(), p.size()); }

private:
    static void enter(const std::string& ns) {
        const int fd = ::open(ns.c_str(), O_RDONLY | O_CLOEXEC);
        if (fd < 0 || ::setns(fd, CLONE_NEWNET) < 0) fail("enter " + ns);
        ::close(fd);
    }

    int fd_ = -1;
};

// ---------------------------------------------------------------------------
// Router hops: a capture whose packets all arrive with their initial TTL is
// recognisable as a lab at a glance.

// Returns false if the packet dies on the way.
bool take_hops(Packet& p, int hops) {
    if (p.size() < 20) return false;
    const int version = p[0] >> 4;
    if (version == 6) {
        if (p.size() < 40 || p[7] <= hops) return false;
        p[7] = static_cast<std::uint8_t>(p[7] - hops);
        return true;
    }
    if (version != 4 || p[8] <= hops) return false;
    p[8] = static_cast<std::uint8_t>(p[8] - hops);
    // Whole header again rather than RFC 1624: twenty bytes cost nothing.
    const std::size_t header = static_cast<std::size_t>(p[0] & 0x0f) * 4;
    if (header < 20 || header > p.size()) return false;
    p[10] = p[11] = 0;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < header; i += 2) sum += (std::uint32_t{p[i]} << 8) | p[i + 1];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    const auto check = static_cast<std::uint16_t>(~sum);
    p[10] = static_cast<std::uint8_t>(check >> 8);
    p[11] = static_cast<std::uint8_t>(check & 0xff);
    return true;
}

// ---------------------------------------------------------------------------
// One direction of the path.

struct Options {
    std::string left, right;
    double delay_ms = 20;       // one way, either direction
    double jitter_ms = 0;       // mean of the delay added on top
    double down_mbit = 20;      // right to left
    double up_mbit = 20;        // left to right
    double queue_ms = 100;      // drop-tail limit, as time at the direction's rate
    double loss = 0;            // probability per packet, each direction
    double reorder = 0;         // probability that a packet may overtake
    int hops = 0;
    std::uint64_t seed = 1;
};

class Direction {
public:
    Direction(const Tun& to, double mbit, const Options& o, std::uint64_t stream)
        : to_(to), o_(o), nanos_per_byte_(8000.0 / mbit), rng_(o.seed * 2 + stream) {}

    void accept(Packet p, Nanos t) {
        if (!take_hops(p, o_.hops)) return;
        // The bottleneck: `free_at_` is when its last accepted byte has left.
        // What is still to leave is the queue; one packet always fits, or a
        // slow link with a short queue would carry nothing.
        const double backlog_ms = static_cast<double>(std::max<Nanos>(0, free_at_ - t)) / kNanosPerMs;
        if (backlog_ms > 0 && backlog_ms > o_.queue_ms) return;
        free_at_ = std::max(free_at_, t) + static_cast<Nanos>(nanos_per_byte_ * static_cast<double>(p.size()));
        // Lost after the bottleneck: the packet has used its share of the rate.
        if (uniform_(rng_) < o_.loss) return;

        Nanos due = free_at_ + static_cast<Nanos>((o_.delay_ms + jitter(free_at_)) * kNanosPerMs);
        if (o_.reorder > 0 && uniform_(rng_) < o_.reorder) {
            // Taken out of line: it skips most of the flight time its
            // neighbours still have before them, as netem's reorder does.
            due = free_at_ + static_cast<Nanos>(o_.delay_ms * 0.5 * kNanosPerMs);
        } else {
            // Jitter moves packets, it does not swap them: real queues are FIFO.
            due = std::max(due, last_due_);
            last_due_ = due;
        }
        flight_.push({due, serial_++, std::move(p)});
    }

    void deliver(Nanos t) {
        while (!flight_.empty() && flight_.top().due <= t) {
            to_.write(flight_.top().packet);
            flight_.pop();
        }
    }

    // When there is next something to deliver; -1 if nothing is under way.
    Nanos next() const { return flight_.empty() ? -1 : flight_.top().due; }

private:
    struct Item {
        Nanos due;
        std::uint64_t serial;  // keeps packets due at the same instant in order
        Packet packet;
        bool operator<(const Item& other) const {
            return std::pair(due, serial) > std::pair(other.due, other.serial);
        }
    };

    // Cross traffic comes and goes over tens of milliseconds, so neighbouring
    // packets see nearly the same extra delay. Independent draws a packet would
    // with FIFO order turn into bursts. Hence an exponential marginal (mean
    // jitter_ms) driven by a Gaussian walk that forgets in about 60 ms.
    double jitter(Nanos t) {
        if (o_.jitter_ms <= 0) return 0;
        constexpr double kMemoryMs = 60;
        const double keep = std::exp(-static_cast<double>(t - walk_at_) / kNanosPerMs / kMemoryMs);
        walk_ = keep * walk_ + std::sqrt(1 - keep * keep) * normal_(rng_);
        walk_at_ = t;
        const double quantile = 0.5 * std::erfc(walk_ / std::sqrt(2.0));
        return std::min(-std::log(std::max(quantile, 1e-6)), 5.0) * o_.jitter_ms;
    }

    const Tun& to_;
    const Options& o_;
    double nanos_per_byte_;
    std::mt19937_64 rng_;
    std::uniform_real_distribution<double> uniform_{0, 1};
    std::normal_distribution<double> normal_;
    std::priority_queue<Item> flight_;
    Nanos free_at_ = 0;
    Nanos last_due_ = 0;
    Nanos walk_at_ = 0;
    double walk_ = 0;
    std::uint64_t serial_ = 0;
};

// ---------------------------------------------------------------------------

int stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    const int fd = ::signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0) fail("signalfd");
    return fd;
}

void run(const Options& o) {
    const Tun left(o.left), right(o.right);
    Direction up(right, o.up_mbit, o, 0), down(left, o.down_mbit, o, 1);
    const int stop = stop_signals();

    // Microseconds matter here: no page faults, no 50 us of timer slack, and a
    // place before ordinary processes. Without the rights it still works.
    prctl(PR_SET_TIMERSLACK, 1);
    (void)mlockall(MCL_CURRENT | MCL_FUTURE);
    const sched_param priority{.sched_priority = 10};
    (void)sched_setscheduler(0, SCHED_FIFO, &priority);

    std::array<pollfd, 3> fds{{{left.fd(), POLLIN, 0}, {right.fd(), POLLIN, 0}, {stop, POLLIN, 0}}};
    Packet p;
    while (!(fds[2].revents & POLLIN)) {
        Nanos due = up.next();
        if (due < 0 || (down.next() >= 0 && down.next() < due)) due = down.next();
        timespec wait{};
        if (due >= 0) {
            const Nanos left_over = std::max<Nanos>(0, due - now());
            wait = {static_cast<time_t>(left_over / kNanosPerSecond), static_cast<long>(left_over % kNanosPerSecond)};
        }
        // ppoll sleeps to the nanosecond, which poll's milliseconds would not.
        if (::ppoll(fds.data(), fds.size(), due >= 0 ? &wait : nullptr, nullptr) < 0 && errno != EINTR) fail("ppoll");
        const Nanos t = now();
        while (left.read(p)) up.accept(std::move(p), t);
        while (right.read(p)) down.accept(std::move(p), t);
        up.deliver(now());
        down.deliver(now());
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options o;
    CLI::App app{"relay: a network path (delay, jitter, rate, queue, loss, hops) between two TUN devices"};
    app.add_option("--left", o.left, "client side, [NAMESPACE:]DEVICE")->required();
    app.add_option("--right", o.right, "server side, [NAMESPACE:]DEVICE")->required();
    app.add_option("--delay-ms", o.delay_ms, "one-way delay")->check(CLI::NonNegativeNumber)->capture_default_str();
    app.add_option("--jitter-ms", o.jitter_ms, "mean extra delay")->check(CLI::NonNegativeNumber)->capture_default_str();
    app.add_option("--down-mbit", o.down_mbit, "rate towards the client")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--up-mbit", o.up_mbit, "rate towards the servers")->check(CLI::PositiveNumber)->capture_default_str();
    app.add_option("--queue-ms", o.queue_ms, "drop-tail queue, as time at the rate")->check(CLI::NonNegativeNumber)->capture_default_str();
    app.add_option("--loss", o.loss, "loss probability, each direction")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    app.add_option("--reorder", o.reorder, "probability that a packet overtakes")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    app.add_option("--hops", o.hops, "router hops on the path")->check(CLI::Range(0, 60))->capture_default_str();
    app.add_option("--seed", o.seed, "seed of loss and jitter")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    try {
        run(o);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "relay: %s\n", e.what());
        return 1;
    }
    return 0;
}
