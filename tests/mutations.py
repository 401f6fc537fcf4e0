"""Seeded damage to bytes and to JSON: the same every time, so that what it finds can be found again."""

import copy
import random

EXTREME_WORDS = [
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\x00\x00\x00\x00",
    b"\x00\x00\x00\x40",
]


def damaged_bytes(whole, seed):
    """One damaged copy: bits flipped, words made extreme, pieces cut, doubled, swapped or zeroed."""
    dice = random.Random(seed)
    data = bytearray(whole)
    for _ in range(dice.choice((1, 1, 1, 2, 5, 20))):
        if len(data) < 16:
            break
        # Headers and footers are where lengths live, so half of the hits go there.
        near_an_end = dice.random() < 0.5
        spot = dice.randrange(min(len(data), 600)) if near_an_end else dice.randrange(len(data))
        if near_an_end and dice.random() < 0.5:
            spot = len(data) - 1 - spot
        damage = dice.choice(("bit", "byte", "word", "word", "cut", "zero", "double", "swap"))
        if damage == "bit":
            data[spot] ^= 1 << dice.randrange(8)
        elif damage == "byte":
            data[spot] = dice.randrange(256)
        elif damage == "word":
            spot -= spot % 4
            data[spot : spot + 4] = dice.choice(EXTREME_WORDS)
        elif damage == "cut":
            del data[spot : spot + dice.choice((1, 8, 64, len(data)))]
        elif damage == "zero":
            n_bytes = min(dice.choice((4, 64, 512)), len(data) - spot)
            data[spot : spot + n_bytes] = bytes(n_bytes)
        elif damage == "double":
            piece = data[spot : spot + dice.choice((4, 64, 512))]
            data[spot:spot] = piece
        else:
            other = dice.randrange(len(data) - 8)
            data[spot : spot + 8], data[other : other + 8] = data[other : other + 8], data[spot : spot + 8]
    return bytes(data)


ODD_VALUES = [
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e308, 2**53 + 1, 2**63, -(2**63), 2**64, 10**40, "", " ", "x", "delay",
    "2001-02-30", "NaN", "9" * 400, "\u0000", "é" * 50, "(", "a" * 10_000, [], [[]], [None], [1, 2], ["a", 1], {}, {"op": "eq"},
]  # fmt: skip


def damaged_query(whole, seed):
    """One damaged copy of a Query: values replaced, keys dropped, renamed, nested or doubled."""
    dice = random.Random(seed)
    query = copy.deepcopy(whole)
    for _ in range(dice.choice((1, 1, 2, 4))):
        spots = list(places(query))
        holder, key = dice.choice(spots)
        damage = dice.choice(("value", "value", "drop", "rename", "wrap", "double"))
        if damage == "value":
            holder[key] = copy.deepcopy(dice.choice(ODD_VALUES))
        elif damage == "drop":
            del holder[key]
        elif damage == "rename" and isinstance(holder, dict):
            holder[dice.choice(("op", "columns", "and", "not", "x", ""))] = holder.pop(key)
        elif damage == "wrap":
            holder[key] = dice.choice(([holder[key]], {"not": holder[key]}, {"and": [holder[key]]}))
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        if not query:
            break
    return query


def places(value):
    """Every (container, key) inside a JSON value."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from places(value[key])
