"""Every crate that is built in has a licence that deny.toml allows, cargo-deny installed or not."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def allowed_licences():
    return set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])


def is_allowed(expression, allowed):
    """Whether an SPDX expression can be met by what is allowed: AND binds before OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    place = 0

    def alternatives():
        nonlocal place
        met = terms()
        while place < len(tokens) and tokens[place] == "OR":
            place += 1
            met = terms() or met
        return met

    def terms():
        nonlocal place
        met = term()
        while place < len(tokens) and tokens[place] == "AND":
            place += 1
            met = term() and met
        return met

    def term():
        nonlocal place
        token = tokens[place]
        place += 1
        if token == "(":
            met = alternatives()
            place += 1
            return met
        if place < len(tokens) and tokens[place] == "WITH":
            token = f"{token} WITH {tokens[place + 1]}"
            place += 2
        return token in allowed

    return alternatives()


def test_expressions_are_read_as_spdx_says():
    allowed = {"MIT", "ISC", "Apache-2.0 WITH LLVM-exception"}
    assert is_allowed("MIT OR GPL-3.0", allowed)
    assert is_allowed("MIT/Apache-2.0", allowed)
    assert is_allowed("GPL-3.0 OR MIT AND ISC", allowed)
    assert is_allowed("Apache-2.0 WITH LLVM-exception", allowed)
    assert not is_allowed("MIT AND GPL-3.0", allowed)
    assert not is_allowed("(MIT OR ISC) AND GPL-3.0", allowed)
    assert not is_allowed("Apache-2.0", allowed)


def test_every_crate_has_an_allowed_licence():
    metadata = subprocess.run(
        ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )
    foreign = [package for package in json.loads(metadata.stdout)["packages"] if package["source"]]
    assert len(foreign) > 100
    allowed = allowed_licences()
    refused = {
        package["name"]: package["license"]
        for package in foreign
        if not is_allowed(package["license"] or "none", allowed)
    }
    assert not refused, refused


def test_every_crate_comes_from_the_registry():
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    elsewhere = [
        package["name"]
        for package in lock["package"]
        if package.get("source", "registry+https://github.com/rust-lang/crates.io-index")
        != "registry+https://github.com/rust-lang/crates.io-index"
    ]
    assert not elsewhere, elsewhere
