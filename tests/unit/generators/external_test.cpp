/// `captures` and `command`: other people's generators.

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "support.h"
#include "traffic/capture_writer.h"

namespace tracebench {
namespace {

using namespace tracebench::testing;
namespace fs = std::filesystem;

Trace first_packets(std::size_t packets) {
    Trace session = web_session(0);
    session.packets.resize(packets);
    return session;
}

struct Captures : ::testing::Test {
    ScratchFolder scratch;

    Captures() {
        write_trace(scratch / "set/b.pcap", first_packets(4));
        write_trace(scratch / "set/a.pcap", first_packets(3));
        write_trace(scratch / "set/c.pcap", first_packets(5));
        write_trace(scratch / "set/d.pcap", first_packets(6));
        write_file(scratch / "set/labels.csv",
                   "file,label\na.pcap,web\nb.pcap,web\nc.pcap,video\nd.pcap,web\n");
    }
    std::unique_ptr<Generator> fitted(nlohmann::json settings) {
        auto generator = make_generator("captures", settings);
        generator->fit(web_sessions(1), {});
        return generator;
    }
    std::vector<std::size_t> sizes(Generator& generator, const SampleRequest& request) {
        std::vector<std::size_t> packets;
        for (const Trace& trace : sample_all(generator, request)) packets.push_back(trace.size());
        return packets;
    }
};

TEST_F(Captures, ComeInNameOrder) {
    const auto generator = fitted({{"folder", (scratch / "set").string()}});
    EXPECT_EQ(generator->labels(), (std::vector<std::string>{"video", "web"}));
    EXPECT_EQ(sizes(*generator, request_for("web", 2)), (std::vector<std::size_t>{3, 4}));
    EXPECT_EQ(sizes(*generator, request_for("web", 2, 99)), (std::vector<std::size_t>{3, 4}));
    EXPECT_EQ(sizes(*generator, request_for("web", 10)),
              (std::vector<std::size_t>{3, 4, 6}));  // no more there are
    SampleRequest request = request_for("web", 3);
    request.max_packets = 4;
    EXPECT_EQ(sizes(*generator, request), (std::vector<std::size_t>{3, 4, 4}));
    const std::string message = input_error([&] { sizes(*generator, request_for("ssh", 1)); });
    EXPECT_NE(message.find("video, web"), std::string::npos) << message;
}

TEST_F(Captures, TakeLabelsFromElsewhere) {
    write_file(scratch / "mine.csv", "file,label\nd.pcap,ssh\n");
    const auto generator =
        fitted({{"folder", (scratch / "set").string()}, {"labels", (scratch / "mine.csv").string()}});
    EXPECT_EQ(sizes(*generator, request_for("ssh", 1)), (std::vector<std::size_t>{6}));
}

TEST_F(Captures, AreThoseOfTheSeed) {
    for (const std::uint64_t seed : {1, 22}) {
        const std::string folder = fmt::format("seeds/{}", seed);
        write_trace(scratch / (folder + "/a.pcap"), first_packets(seed == 1 ? 3 : 5));
        write_file(scratch / (folder + "/labels.csv"), "file,label\na.pcap,web\n");
    }
    for (const std::uint64_t seed : {1, 22}) {
        auto generator =
            make_generator("captures", {{"folder", (scratch / "seeds/{seed}").string()},
                                        {"labels", (scratch / "seeds/{seed}/labels.csv").string()}});
        FitContext context;
        context.seed = seed;
        generator->fit({}, context);
        EXPECT_EQ(sizes(*generator, request_for("web", 1)), (std::vector<std::size_t>{seed == 1 ? 3U : 5U}));
        save_model(*generator, {{"folder", "moved"}}, scratch / "model");
        EXPECT_EQ(sizes(*load_model(scratch / "model"), request_for("web", 1)),
                  (std::vector<std::size_t>{seed == 1 ? 3U : 5U}));
    }
}

TEST_F(Captures, SurviveSaveAndLoad) {
    const auto generator = fitted({{"folder", (scratch / "set").string()}});
    save_model(*generator, {{"folder", "moved"}}, scratch / "model");
    EXPECT_EQ(sizes(*load_model(scratch / "model"), request_for("web", 3)),
              (std::vector<std::size_t>{3, 4, 6}));
}

TEST_F(Captures, RejectsBadSettings) {
    EXPECT_NE(input_error([&] { fitted(nlohmann::json::object()); }).find("lacks 'folder'"),
              std::string::npos);
    EXPECT_NE(input_error([&] { fitted({{"folder", 5}}); }).find("/folder"), std::string::npos);
    EXPECT_NE(input_error([&] {
                  fitted({{"folder", "x"}, {"lables", "y"}});
              }).find("'lables'"),
              std::string::npos);
    EXPECT_THROW(fitted({{"folder", (scratch / "none").string()}}), InputError);
}

struct Command : ::testing::Test {
    ScratchFolder scratch;

    /// A shell program whose body finds the request in $request and its folders in $out, $model, $train.
    std::string program(const std::string& body) {
        const fs::path path = scratch / "program.sh";
        std::ofstream(path) << "#!/bin/sh\n"
                               "request=$(cat)\n"
                               "field() { printf '%s' \"$request\" | sed -n "
                               "\"s/.*\\\"$1\\\":\\\"\\([^\\\"]*\\)\\\".*/\\1/p\"; }\n"
                               "verb=$(field verb); out=$(field output_folder); model=$(field model_folder); "
                               "train=$(field train_folder)\n"
                            << body << "\n";
        fs::permissions(path, fs::perms::owner_all);
        return path.string();
    }
    std::unique_ptr<Generator> fitted(const std::string& body,
                                      nlohmann::json settings = nlohmann::json::object()) {
        settings["command"] = {program(body), "a;b", "$(touch " + (scratch / "shell").string() + ")"};
        auto generator = make_generator("command", settings);
        generator->fit(web_sessions(2), {});
        return generator;
    }
    std::string failure(const std::string& body, nlohmann::json settings = nlohmann::json::object()) {
        return input_error([&] { fitted(body, std::move(settings)); });
    }
};

constexpr const char* copy_program =
    "if [ $verb = fit ]; then cp \"$train\"/*.pcap \"$model\"; printf '%s' \"$request\" > "
    "\"$model\"/request; cp \"$train\"/labels.csv \"$model\"\n"
    "else cp \"$model\"/*.pcap \"$out\"; fi";

TEST_F(Command, RunsAProgramThatCopies) {
    const auto generator = fitted(copy_program);
    EXPECT_EQ(generator->labels(), std::vector<std::string>{"web"});
    const auto traces = sample_all(*generator, request_for("web", 5));
    EXPECT_EQ(content(traces), content({web_session(0), web_session(1)}));
    EXPECT_EQ(sample_all(*generator, request_for("web", 1)).size(), 1U);
    EXPECT_FALSE(fs::exists(scratch / "shell"));  // no shell read the arguments
    save_model(*generator, {{"command", {program(copy_program)}}}, scratch / "model");
    const auto loaded = load_model(scratch / "model");
    EXPECT_EQ(content(sample_all(*loaded, request_for("web", 5))), content(traces));
    EXPECT_EQ(read_file(scratch / "model/model/files/labels.csv"),
              "file,label\n00001.pcap,web\n00002.pcap,web\n");
    const auto request = nlohmann::json::parse(read_file(scratch / "model/model/files/request"));
    for (const char* key : {"verb", "label", "count", "seed", "max_packets", "train_folder", "labels_csv",
                            "model_folder", "output_folder"})
        EXPECT_TRUE(request.contains(key)) << key;
    EXPECT_EQ(request["verb"], "fit");
}

/// docs/external-generators.md shows a whole program: it must work as it stands.
TEST_F(Command, RunsTheDocumentedExample) {
    const std::string text = read_file(TRACEBENCH_SOURCE_DIR "/docs/external-generators.md");
    const std::size_t begin = text.find("```python\n") + 10;
    write_file(scratch / "example.py", text.substr(begin, text.find("```", begin) - begin));
    auto generator = make_generator("command", {{"command", {"python3", (scratch / "example.py").string()}}});
    generator->fit(web_sessions(3), {});
    const auto traces = sample_all(*generator, request_for("web", 6));
    ASSERT_EQ(traces.size(), 6U);
    for (const Trace& trace : traces) EXPECT_EQ(trace.size(), web_session(0).size());
    EXPECT_EQ(content(sample_all(*generator, request_for("web", 6))), content(traces));
    EXPECT_NE(content(sample_all(*generator, request_for("web", 6, 2))), content(traces));
}

TEST_F(Command, TellsWhatTheProgramSaidWhenItFails) {
    const std::string message = failure("printf 'first\\nCUDA is \\033[31mmissing\\n' >&2; exit 3");
    EXPECT_NE(message.find("exit code 3"), std::string::npos) << message;
    EXPECT_NE(message.find("first | CUDA is \\x1b[31mmissing"), std::string::npos) << message;
    EXPECT_NE(failure("kill -TERM $$").find("signal 15"), std::string::npos);
}

TEST_F(Command, EndsAProgramThatRunsTooLongWithItsChildren) {
    const auto start = std::chrono::steady_clock::now();
    const std::string message = failure(
        "(sleep 5; touch \"" + (scratch / "survivor").string() + "\") & sleep 60", {{"timeout_s", 0.3}});
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    EXPECT_NE(message.find("timeout_s"), std::string::npos) << message;
}

TEST_F(Command, LimitsMemory) {
    const std::string message = failure("exec python3 -c 'bytearray(1 << 30)'", {{"memory_mib", 300}});
    EXPECT_NE(message.find("MemoryError"), std::string::npos) << message;
}

TEST_F(Command, LimitsOutput) {
    const std::string one_file =
        failure("exec head -c 3000000 /dev/zero > \"$model\"/big", {{"output_mib", 1}});
    EXPECT_NE(one_file.find("output_mib"), std::string::npos) << one_file;
    const std::string many_files =
        failure("for i in 1 2 3; do head -c 600000 /dev/zero > \"$model\"/$i; done", {{"output_mib", 1}});
    EXPECT_NE(many_files.find("output_mib"), std::string::npos) << many_files;
}

TEST_F(Command, RejectsWhatIsNoTraffic) {
    const auto sample_error = [&](const std::string& body) {
        const auto generator = fitted("if [ $verb = sample ]; then " + body + "; fi");
        return input_error([&] { sample_all(*generator, request_for("web", 1)); });
    };
    EXPECT_NE(sample_error("echo this is no capture > \"$out\"/x.pcap").find("x.pcap"), std::string::npos);
    EXPECT_NE(sample_error("true").find("wrote no capture"), std::string::npos);
    EXPECT_NE(sample_error("ln -s /etc/passwd \"$out\"/x.pcap").find("neither a file nor a folder"),
              std::string::npos);
}

TEST_F(Command, RejectsBadSettings) {
    const auto rejected = [](const nlohmann::json& settings) {
        return input_error([&] { make_generator("command", settings); });
    };
    EXPECT_NE(rejected(nlohmann::json::object()).find("lacks 'command'"), std::string::npos);
    EXPECT_NE(rejected({{"command", "python3 gen.py"}}).find("/command"), std::string::npos);
    EXPECT_NE(rejected({{"command", nlohmann::json::array()}}).find("names no program"), std::string::npos);
    EXPECT_NE(rejected({{"command", {"true"}}, {"timeout_s", 0}}).find("/timeout_s"), std::string::npos);
    EXPECT_NE(rejected({{"command", {"true"}}, {"shell", true}}).find("'shell'"), std::string::npos);
    auto generator = make_generator("command", {{"command", {"/no/such/program"}}});
    EXPECT_NE(input_error([&] { generator->fit(web_sessions(1), {}); }).find("cannot be started"),
              std::string::npos);
}

}  // namespace
}  // namespace tracebench
