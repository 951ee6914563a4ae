#!/usr/bin/env python3
"""What each part of the generator `diffusion` is worth, on the embedded lab set: docs/diffusion-ablations.md.

    python3 tests/experiments/diffusion_ablations.py build/tracebench runs/ablations [PART ...]

PART is some of `models`, `sampling`, `few-shot`, `rare`, `tables` (default: all, in this order). Everything goes through the
command line: models are trained once for each seed, sampled with differing options, and the captures measured by runs
whose generators are of kind `captures`. What is there already is not made again. `tables` prints Markdown.
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LAB = ROOT / "datasets/lab"
BASE = {"preset": "small", "steps": 800, "threads": 1}  # as datasets/lab.json has it, but for control
SSM = {"preset": "small", "epochs": 6, "threads": 1}  # as datasets/lab.json has it
BASELINES = ("resample", "markov", "marginal")

# Sampling: one thing changed at a time. Options of `tracebench generate`.
VARIANTS = {
    "base": [],
    "control": ["--control", "class"],
    "guidance-2": ["--guidance", "2"],
    "guidance-3": ["--guidance", "3"],
    "guidance-5": ["--guidance", "5"],
    "guidance-7": ["--guidance", "7"],
    "dpm-10": ["--sampling-steps", "10"],
    "dpm-50": ["--sampling-steps", "50"],
    "ddim-10": ["--sampler", "ddim", "--sampling-steps", "10"],
    "ddim-20": ["--sampler", "ddim"],
    "ddim-50": ["--sampler", "ddim", "--sampling-steps", "50"],
}
SAMPLES = 6  # of each class for each variant
BARE = ("base", "control", "guidance-7")  # made without repair, too
METRICS = ["distance", "joint", "sequence", "cicflow", "nprint", "netshare", "compliance", "consistency", "summary",
           "privacy"]
CLASSIFIERS = [(features, model) for features in ("nprint", "flow") for model in ("xgboost", "forest")]

PARTS = ["models", "sampling", "few-shot", "rare", "tables"]

NEW_CLASS = "video"  # left out of the base model, then learned from a few samples
FEW = 10
RARE_CLASSES = ["dns", "download", "rtp", "ssh", "video", "web"]
RARE = 3
LEARNED_RARE_CLASSES = [NEW_CLASS]  # where `ssm` and `diffusion` are trained too: minutes for each seed


class Experiment:
    def __init__(self, binary, folder, seeds):
        self.binary, self.folder, self.seeds = pathlib.Path(binary).resolve(), pathlib.Path(folder).resolve(), seeds
        self.folder.mkdir(parents=True, exist_ok=True)
        lab = json.loads(self.tracebench("data", "split", ROOT / "datasets/lab.json", "--json"))[0]
        self.train = [(sample["id"], sample["label"]) for sample in lab["train"]]
        self.heldout = [(sample["id"], sample["label"]) for sample in lab["heldout"]]
        self.labels = sorted({label for _, label in self.train})

    def tracebench(self, *arguments):
        command = [str(self.binary), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{done.stderr[-2000:]}")
        return done.stdout

    def write_labels(self, path, samples):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([("file", "label"), *samples])
        return path

    def fit(self, name, kind, seed, samples, settings=None):
        """A model folder, trained on samples of the lab set."""
        model = self.folder / "models" / name / str(seed)
        if not model.exists():
            print(f"train {name} {seed}", file=sys.stderr, flush=True)
            labels = self.write_labels(self.folder / "labels" / f"{name}-{seed}.csv", samples)
            model.parent.mkdir(parents=True, exist_ok=True)
            self.tracebench("train", "-g", kind, "--data", LAB, "--labels", labels, "-o", model, "--seed", seed,
                            "--config", json.dumps(settings or {}))
        return model

    def sample(self, name, model, seed, counts, options=()):
        """A folder of captures with labels.csv: counts[label] samples of each label."""
        folder = self.folder / "captures" / name / str(seed)
        if (folder / "labels.csv").exists():
            return folder
        rows = []
        for label, count in counts.items():
            part = folder / label
            part.mkdir(parents=True, exist_ok=True)
            self.tracebench("generate", "-m", model, "--label", label, "--samples", count, "--seed", seed, "-o",
                            f"{part}/", *options)
            rows += [(f"{label}/{file.name}", label) for file in sorted(part.glob("*.pcap"))]
        self.write_labels(folder / "labels.csv", rows)
        return folder

    def counts(self, label=None):
        """Samples of each class in training, or of one class."""
        return {name: sum(of == name for _, of in self.train) for name in self.labels if label in (None, name)}

    def run(self, name, generators, metrics, samples=0, classes=None):
        """results.json of a run that measures folders of captures (by name) and baselines (fitted by the run)."""
        manifest = {
            "name": name,
            "datasets": [{"name": "lab", "folder": str(LAB), "labels": str(LAB / "labels.csv"),
                          "split": {"train": 0.5, "seed": 1}}],
            "generators": [{"name": generator} if generator in BASELINES else
                           {"name": generator, "kind": "captures",
                            "settings": {"folder": str(self.folder / "captures" / generator / "{seed}")}}
                           for generator in generators],
            "metrics": metrics, "seeds": self.seeds, "samples_per_class": samples}
        if classes:
            manifest["datasets"][0]["classes"] = classes
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(manifest, indent=2))
        self.tracebench("run", path, "-o", self.folder / "runs" / name)

    # ---- models

    def base(self, seed):
        return self.fit("base", "diffusion", seed, self.train, {**BASE, "control": "class"})

    def even(self, seed):
        """Rows of all kinds count alike."""
        return self.fit("even", "diffusion", seed, self.train,
                        {**BASE, "control": "class", "rarity": 0, "autoencoder_rarity": 0})

    def long_pieces(self, seed):
        """Learned from pieces of 256 rows, a quarter as many at a time."""
        return self.fit("long", "diffusion", seed, self.train, {**BASE, "control": "class", "crop": 256})

    def without_new_class(self, seed):
        return self.fit("without", "diffusion", seed, [sample for sample in self.train if sample[1] != NEW_CLASS], BASE)

    def adapter(self, name, seed, samples):
        return self.fit(name, "diffusion", seed, samples,
                        {"preset": "small", "from": str(self.without_new_class(seed)), "lora": 8})

    def few_shot_models(self, seed):
        few = [sample for sample in self.train if sample[1] == NEW_CLASS][:FEW]
        return {"adapter": self.adapter("adapter", seed, few),
                "scratch": self.fit("scratch", "diffusion", seed, few, BASE),
                "all-classes": self.base(seed),
                **{f"few-{kind}": self.fit(f"few-{kind}", kind, seed, few) for kind in BASELINES}}

    def kept_of_rare(self, rare, seed):
        """The RARE real samples of the class: others for each seed."""
        of_class = [sample for sample in self.train if sample[1] == rare]
        return [of_class[((seed - 1) * RARE + i) % len(of_class)] for i in range(RARE)]

    def rare_models(self, rare, seed):
        kept = self.kept_of_rare(rare, seed)
        real = [sample for sample in self.train if sample[1] != rare] + kept
        models = {kind: self.fit(f"rare-{rare}-{kind}", kind, seed, real) for kind in BASELINES}
        if rare in LEARNED_RARE_CLASSES:
            models["ssm"] = self.fit(f"rare-{rare}-ssm", "ssm", seed, real, SSM)
            models["diffusion"] = self.fit(f"rare-{rare}-diffusion", "diffusion", seed, real, BASE)
        if rare == NEW_CLASS:
            models["diffusion-adapter"] = self.adapter(f"rare-{rare}-adapter", seed, kept)
        return models

    # ---- the parts

    def models(self):
        """All trainings, the longest part by far; the others take what is there."""
        for make in (self.base, self.even, self.long_pieces, self.few_shot_models, lambda seed: self.rare_models(NEW_CLASS, seed)):
            for seed in self.seeds:
                make(seed)

    def sampling(self):
        for seed in self.seeds:
            model = self.base(seed)
            for name, options in VARIANTS.items():
                if "--control" not in options:
                    options = [*options, "--control", "off"]
                self.sample(name, model, seed, dict.fromkeys(self.labels, SAMPLES), options)
                if name in BARE:
                    self.sample(f"{name}-bare", model, seed, dict.fromkeys(self.labels, SAMPLES),
                                [*options, "--unconstrained"])
            for name, model in (("even", self.even(seed)), ("long", self.long_pieces(seed))):
                self.sample(name, model, seed, dict.fromkeys(self.labels, SAMPLES), VARIANTS["control"])
        self.run("sampling", [*BASELINES, *VARIANTS, "even", "long"], METRICS, samples=SAMPLES)
        self.run("bare", [*BARE, *(f"{name}-bare" for name in BARE)], ["nprint", "distance", "compliance"],
                 samples=SAMPLES)

    def few_shot(self):
        generators = []
        for seed in self.seeds:
            models = self.few_shot_models(seed)
            for name, model in models.items():
                options = ["--control", "off"] if name == "all-classes" else []
                self.sample(f"new-{name}", model, seed, self.counts(NEW_CLASS), options)
            generators = [f"new-{name}" for name in models]
        self.run("few-shot", generators, METRICS, classes=[NEW_CLASS])

    def rare(self):
        """One class has RARE training samples; synthetic ones of it make up for the rest."""
        path = self.folder / "rare.json"
        done = json.loads(path.read_text()) if path.exists() else {}
        heldout = self.write_labels(self.folder / "labels/heldout.csv", self.heldout)
        for rare in RARE_CLASSES:
            for seed in self.seeds:
                of_class = [sample for sample in self.train if sample[1] == rare]
                kept = self.kept_of_rare(rare, seed)
                real = [sample for sample in self.train if sample[1] != rare] + kept
                added = {"none": [], "all real": [sample for sample in of_class if sample not in kept]}
                for name, model in self.rare_models(rare, seed).items():
                    made = self.sample(f"rare-{rare}-{name}", model, seed, {rare: len(of_class) - RARE})
                    added[name] = [(made.relative_to(self.folder) / rare / file.name, rare)
                                   for file in sorted((made / rare).glob("*.pcap"))]
                for name, samples in added.items():
                    # The lab set as it is seen from the folder that the synthetic captures are in.
                    link = self.folder / "lab"
                    if not link.exists():
                        link.symlink_to(LAB)
                    samples = [(f"lab/{file}" if name == "all real" else file, label) for file, label in samples]
                    labels = self.write_labels(self.folder / "labels" / f"rare-{rare}-{name}-{seed}.csv",
                                               [(f"lab/{file}", label) for file, label in real] + samples)
                    for features, classifier in CLASSIFIERS:
                        key = f"{rare}|{name}|{features}|{classifier}|{seed}"
                        if key in done:
                            continue
                        result = json.loads(self.tracebench(
                            "classify", "--train", self.folder, "--train-labels", labels, "--test", LAB,
                            "--test-labels", heldout, "--features", features, "--model", classifier, "--seed", seed,
                            "--json"))
                        of_rare = next(entry for entry in result["per_class"] if entry["label"] == rare)
                        done[key] = {"recall": of_rare["recall"], "f1": of_rare["f1"], "macro_f1": result["macro_f1"]}
                path.write_text(json.dumps(done, indent=1))

    # ---- tables

    def tables(self):
        for name, title in (("sampling", "Sampling"), ("few-shot", "A new class"), ("bare", "Without repair")):
            path = self.folder / "runs" / name / "results.json"
            if path.exists():
                print(f"## {title}\n")
                table_of_run(json.loads(path.read_text()))
        path = self.folder / "rare.json"
        if path.exists():
            print("## A rare class\n")
            table_of_rare(json.loads(path.read_text()))


def spread(values, places=3):
    """Mean and sample standard deviation over seeds."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    deviation = f" ± {statistics.stdev(values):.{places}f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.{places}f}{deviation}"


def print_table(header, rows):
    print("| " + " | ".join(header) + " |\n|" + " --- |" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def table_of_run(results):
    """nPrint bits and flow features (means over fields) by seed, what the rules say, the score of the leaderboard."""
    measures = ("jsd", "tvd", "hellinger")
    values = [value for value in results["metrics"] if value["status"] == "ok"]
    board = {entry["generator"]: entry for entry in results["leaderboard"]}

    def chosen(generator, measure):
        if measure.startswith("flow "):
            return [value for value in values if value["generator"] == generator and value["area"] == "flow"
                    and value["metric"] == measure[5:] and value["in_score"]]
        group = "all" if measure.startswith("nprint") else ""
        return [value for value in values if value["generator"] == generator and value["metric"] == measure
                and (value["group"] or "") == group]

    columns = [f"nprint.{measure}" for measure in measures] + [f"flow {measure}" for measure in measures] + [
        "compliance.pass_rate"]
    rows = []
    generators = list(dict.fromkeys(value["generator"] for value in values))
    for generator in generators:
        row = [generator]
        for column in columns:
            picked = chosen(generator, column)
            by_seed = zip(*(value["seeds"] for value in picked))
            row.append(spread([statistics.mean(seed) for seed in by_seed if None not in seed], 4))
        score = board.get(generator)
        row.append(f"{score['score']:.3f} [{score['ci95'][0]:.3f}, {score['ci95'][1]:.3f}]"
                   if score and score["score"] is not None and score["ci95"] else "-")
        rows.append(row)
    for bound in ("floor", "ceiling"):
        row = [bound]
        for column in columns:
            known = [value[bound] for value in chosen(generators[0], column) if value[bound] is not None]
            row.append(f"{statistics.mean(known):.4f}" if known else "-")
        rows.append([*row, {"floor": "0", "ceiling": "1"}[bound]])
    print_table(["generator", *columns, "score"], rows)


def table_of_rare(done):
    keys = [key.split("|") for key in done]
    for rare in dict.fromkeys(key[0] for key in keys):
        kinds = list(dict.fromkeys((key[2], key[3]) for key in keys))
        rows = []
        for name in dict.fromkeys(key[1] for key in keys if key[0] == rare):
            row = [name]
            for features, model in kinds:
                of_seeds = [value for key, value in done.items() if key.startswith(f"{rare}|{name}|{features}|{model}|")]
                row.append(f"{spread([value['recall'] for value in of_seeds], 2)} / "
                           f"{spread([value['f1'] for value in of_seeds], 2)}")
            rows.append(row)
        print(f"`{rare}`: recall / F1\n")
        print_table(["added", *(f"{model}, {features}" for features, model in kinds)], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", help="the tracebench executable")
    parser.add_argument("folder", help="where models, captures and runs go")
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    parser.add_argument("--seeds", default="1,2,3")
    options = parser.parse_args()
    experiment = Experiment(options.binary, options.folder, [int(seed) for seed in options.seeds.split(",")])
    for part in options.parts or PARTS:
        getattr(experiment, part.replace("-", "_"))()


if __name__ == "__main__":
    main()
