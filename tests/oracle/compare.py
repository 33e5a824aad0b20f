"""Random worlds through the program and through the oracle, and what differs. See README.md."""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

import case_file
import chances
import clock
import generator
import notation
import report
import shrink
from config import Config
from simulation import Simulation
from world import World


def program_text(program, directory, world, mode):
    """What the program prints; on failure an object with "error"."""
    documents, configuration, gates = world
    manifest, config = os.path.join(directory, "world.json"), os.path.join(directory, "config.json")
    with open(manifest, "w", encoding="utf-8") as out:
        out.write(notation.text(notation.variants(documents)))
    with open(config, "w", encoding="utf-8") as out:
        json.dump(configuration, out)
    command = [program, "simulate", "-f", manifest, "-o", "json", "--config", config, "--now", chances.NOW, *mode]
    if gates:
        command += ["--feature-gates", ",".join(f"{n}={str(v).lower()}" for n, v in sorted(gates.items()))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except subprocess.TimeoutExpired:
        return {"error": "it does not come to an end"}
    if done.returncode:
        return {"error": f"status {done.returncode}: {done.stderr}"}
    return done.stdout


def oracle_output(world, mode, deviations=None):
    """None: workloads go on preempting each other, and there is no end to compare."""
    documents, configuration, gates = world
    config = Config(configuration, gates, deviations)
    limit = int(mode[1]) if len(mode) > 1 else None
    simulation = Simulation(World(documents, clock.parse(chances.NOW)), config, limit)
    ends = simulation.run()
    return json.loads(json.dumps(report.output(simulation))) if ends else None


def differences(expected, actual, path=""):
    """Lines that tell where two outputs differ."""
    if expected is None and path.endswith("].usage"):
        return  # of a cohort in a cycle
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in {**expected, **actual}:
            yield from differences(expected.get(key), actual.get(key), f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list):
        for index in range(max(len(expected), len(actual))):
            left = expected[index] if index < len(expected) else None
            right = actual[index] if index < len(actual) else None
            yield from differences(left, right, f"{path}[{index}]")
    elif expected != actual:
        left, right = (json.dumps(value)[:400] for value in (expected, actual))
        yield f"{path}\n      oracle  {left}\n      program {right}"


def kind_of(found):
    """Where the first difference is, whatever the positions."""
    return re.sub(r"[0-9]+", "", found[0].split("\n")[0]) if found else None


class Comparison:
    """Worlds through both. 'out': a folder for shrunk worlds, or None."""

    def __init__(self, program, directory, out):
        self.program, self.directory, self.out = program, directory, out

    def differences(self, world, mode, twice=False):
        """Empty: none. 'twice': does the program say the same again, byte by byte?"""
        expected = oracle_output(world, mode)
        if expected is None:
            return []
        text = program_text(self.program, self.directory, world, mode)
        if isinstance(text, dict):
            return [f"the program fails: {text['error']}"]
        if twice and program_text(self.program, self.directory, world, mode) != text:
            return ["the program says something else the second time"]
        actual = json.loads(text)
        if len(mode) > 1:
            expected["final"]["idle"] = actual["final"]["idle"]  # a number of cycles says nothing about it
        return list(differences(expected, actual))

    def shrunk(self, world, mode):
        kind = kind_of(self.differences(world, mode))

        def shows(smaller):
            try:
                return generator.is_sensible(smaller[0]) and kind_of(self.differences(smaller, mode)) == kind
            except (KeyError, TypeError, ValueError, AttributeError, IndexError):
                return False  # it is no world any more

        return shrink.shrink(world, shows)

    def tell(self, seed, world, mode, found):
        print(f"world {seed}, {' '.join(mode)}: {len(found)} differences")
        if self.out:
            world = self.shrunk(world, mode)
            found, output = self.differences(world, mode), oracle_output(world, mode)
            path = os.path.join(self.out, f"world-{seed}.yaml")
            with open(path, "w", encoding="utf-8") as out:
                shown = [notation.variants(world[0]), *world[1:]]
                out.write(case_file.text(f"World {seed}.", shown, mode, output, chances.NOW))
            print(f"    {path} shows it")
        for line in found[:4]:
            print("    " + line)
        sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the program under test")
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1, help="of the first world")
    parser.add_argument("--stop", type=int, default=3, help="after so many worlds with differences")
    parser.add_argument("--out", help="folder for shrunk worlds")
    arguments = parser.parse_args()
    if arguments.out:
        os.makedirs(arguments.out, exist_ok=True)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as directory:
        comparison = Comparison(arguments.program, directory, arguments.out)
        for seed in range(arguments.seed, arguments.seed + arguments.worlds):
            world, mode = generator.world(seed), generator.mode(seed)
            found = comparison.differences(world, mode, twice=seed % 10 == 0)
            passed, failed = passed + (not found), failed + bool(found)
            if found:
                comparison.tell(seed, world, mode, found)
            if failed >= arguments.stop:
                break
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
