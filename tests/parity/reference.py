"""An evaluator of the parity table that shares nothing with Limn's: exact fractions,
three-valued logic written out, one row at a time.

    reference.py          checks the rows that cases.json states
    reference.py --write  writes them
"""

import json
import re
import struct
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).parent
DAY = 86400
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
STAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(?:([Zz])|([+-])(\d\d):?(\d\d))?)?"
)
CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?")


class Refused(Exception):
    """The filter does not fit the column: the query is answered with an error."""


class Column:
    def __init__(self, column):
        self.name, self.type = column["name"], column["type"]
        inner = re.fullmatch(r"(?:dictionary|dictionary_with_null_value|run_end)\(\w+, (.+)\)", self.type)
        self.plain = inner.group(1) if inner else self.type
        self.head, _, rest = self.plain.partition("(")
        self.arguments = [part.strip() for part in rest.rstrip(")").split(",")] if rest else []
        self.values = [self.stored(value) for value in column["values"]]

    def stored(self, value):
        if value is None or self.head in ("boolean", "binary", "list"):
            return value
        if self.family == "integer":
            return Fraction(int(value))
        if self.family == "decimal":
            return Fraction(value)
        if self.family == "float":
            return self.rounded(value)
        if self.family == "time":
            return Fraction(int(value)) * self.seconds_per_unit()
        return value

    def seconds_per_unit(self):
        if self.head == "date32":
            return DAY
        return Fraction(1, 1000 if self.head == "date64" else UNITS[self.arguments[0]])

    @property
    def family(self):
        head = self.head
        if re.fullmatch(r"u?int\d+|duration", head):
            return "integer"
        if head.startswith("decimal"):
            return "decimal"
        if head.startswith("float"):
            return "float"
        if head in ("date32", "date64", "timestamp"):
            return "time"
        if head in ("time32", "time64"):
            return "clock"
        if "utf8" in head:
            return "text"
        return head

    def rounded(self, text):
        value = float(text)
        form = {"float16": "e", "float32": "f", "float64": "d"}[self.head]
        try:
            return struct.unpack(form, struct.pack(form, value))[0]
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")

    def literal(self, value):
        """The value that a literal stands for, and the end of the day that it names."""
        family = self.family
        if family == "boolean":
            if isinstance(value, bool):
                return value, None
            if isinstance(value, str) and value.lower() in ("true", "false"):
                return value.lower() == "true", None
            raise Refused
        if isinstance(value, bool):
            raise Refused
        text = value if isinstance(value, str) else value.text
        if family in ("integer", "decimal"):
            return number(text), None
        if family == "float":
            if NUMBER.fullmatch(text) or text.lower().lstrip("+-") in ("nan", "inf", "infinity"):
                return self.rounded(text), None
            raise Refused
        if not isinstance(value, str):
            raise Refused
        if family == "time":
            return moment(text)
        if family == "clock":
            return clock(text), None
        if family == "text":
            return text.encode(), None
        raise Refused


class Number:
    """A JSON number by its text."""

    def __init__(self, text):
        self.text = text


def number(text):
    match = NUMBER.fullmatch(text)
    if not match:
        raise Refused
    mantissa, _, exponent = text.lower().partition("e")
    return Fraction(mantissa) * Fraction(10) ** int(exponent or 0)


def moment(text):
    match = STAMP.fullmatch(text)
    if not match:
        raise Refused
    day, hours, minutes, seconds, fraction, _, sign, zone_hours, zone_minutes = match.groups()
    try:
        midnight = Fraction((date.fromisoformat(day) - date(1970, 1, 1)).days * DAY)
    except ValueError:
        raise Refused from None
    if hours is None:
        return midnight, midnight + DAY
    instant = midnight + time_of_day(hours, minutes, seconds, fraction)
    if sign:
        offset = int(zone_hours) * 3600 + int(zone_minutes) * 60
        instant -= offset if sign == "+" else -offset
    return instant, None


def clock(text):
    match = CLOCK.fullmatch(text)
    if not match:
        raise Refused
    return time_of_day(*match.groups())


def time_of_day(hours, minutes, seconds, fraction):
    if int(hours) > 23 or int(minutes) > 59 or int(seconds or 0) > 59:
        raise Refused
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0) + Fraction("0" + (fraction or ""))


def compare(op, value, literal):
    """One comparison of a value that is there. A named day ends at its last instant."""
    at, day_end = literal
    if op == "eq":
        return value == at
    if op == "ne":
        return value != at
    if op == "lt":
        return value < at
    if op == "ge":
        return value >= at
    if op == "le":
        return value < day_end if day_end is not None else value <= at
    return value >= day_end if day_end is not None else value > at


def stored_of(column, value):
    if column.family == "text":
        return value.encode()
    return Fraction(value) / UNITS[column.arguments[0]] if column.family == "clock" else value


def find(table, name):
    if name not in table:
        raise Refused
    return table[name]


def clause(node, table):
    """A function from row to True, False or None."""
    op = node["op"]
    if op == "within":
        return within(node, table)
    if node["column"] == "_row":
        values = range(len(next(iter(table.values())).values))
        column = Column({"name": "_row", "type": "int64", "values": values})
    else:
        column = find(table, node["column"])
    if op in ("is_null", "not_null"):
        return lambda row: (column.values[row] is None) == (op == "is_null")
    if column.family == "null":
        return lambda row: None
    value = node["value"]
    if op in ("contains", "matches"):
        if column.family != "text":
            raise Refused
        # The crate `regex` has no look-around.
        if not isinstance(value, str) or re.search(r"\(\?<?[=!]", value):
            raise Refused
        pattern = re.escape(value) if op == "contains" else value
        flags = re.IGNORECASE if node.get("case_sensitive") is False else 0
        try:
            found = re.compile(pattern, flags).search
        except re.error:
            raise Refused from None
        return known(column, lambda text: found(text.decode()) is not None)
    if op in ("in", "not_in"):
        literals = [column.literal(item) for item in value]
        if column.family not in ("integer", "decimal", "float", "boolean", "time", "clock", "text"):
            raise Refused
        return known(column, lambda x: any(compare("eq", x, item) for item in literals) == (op == "in"))
    if op == "between":
        low, high = (column.literal(end) for end in value)
        if column.family == "float" and (low[0] != low[0] or high[0] != high[0]):
            raise Refused
        return known(column, lambda x: compare("ge", x, low) and compare("le", x, high))
    literal = column.literal(value)
    if column.family == "float" and literal[0] != literal[0] and op not in ("eq", "ne"):
        raise Refused
    return known(column, lambda x: compare(op, x, literal))


def known(column, test):
    def at(row):
        value = column.values[row]
        return None if value is None else test(stored_of(column, value))

    return at


def within(node, table):
    columns = [find(table, name) for name in node["columns"]]
    for column in columns:
        if column.family not in ("integer", "decimal", "float", "time", "clock"):
            raise Refused
    polygon = [[float(axis.text) for axis in corner] for corner in node["value"]]
    edges = list(zip(polygon, polygon[1:] + polygon[:1]))

    def at(row):
        x, y = (column.values[row] for column in columns)
        if x is None or y is None:
            return None
        if not all(abs(float(axis)) < float("inf") for axis in (x, y)):
            return False
        x, y, inside = Fraction(x), Fraction(y), False
        for (ax, ay), (bx, by) in edges:
            ax, ay, bx, by = map(Fraction, (ax, ay, bx, by))
            side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
            if side == 0 and min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by):
                return True
            if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
                inside = not inside
        return inside

    return at


def record(node, table):
    """A Depictio record; None where it filters nothing."""
    fields = {**node.get("metadata", {}), **{k: v for k, v in node.items() if k != "metadata"}}
    kind = fields.get("interactive_component_type") or fields.get("type")
    column = table.get(fields.get("column_name") or fields.get("column"))
    value = fields.get("value")
    if value in (None, "", []) or column is None:
        return None
    if kind in ("Select", "MultiSelect", "SegmentedControl") or "source" in fields:
        wanted = []
        for item in value if isinstance(value, list) else [value]:
            try:
                if column.family == "text":
                    written = {True: "true", False: "false"}.get(item) if isinstance(item, bool) else None
                    item = written or (item.text if isinstance(item, Number) else item)
                wanted += [column.literal(item)] if item is not None else []
            except Refused:
                pass
        return known(column, lambda x: any(compare("eq", x, item) for item in wanted))
    name = column.name
    if kind == "TextInput":
        op = "contains" if fields.get("mode") == "literal" else "matches"
        sensitive = fields.get("case_sensitive", True)
        return clause({"column": name, "op": op, "value": value, "case_sensitive": sensitive}, table)
    if kind in ("RangeSlider", "DateRangePicker", "Timeline"):
        if kind != "RangeSlider" and column.family == "text":
            return date_text(column, value)
        tests = [
            clause({"column": name, "op": op, "value": end}, table)
            for op, end in zip(("ge", "le"), value)
            if end not in (None, "")
        ]
        return every(tests) if tests else None
    if isinstance(value, list):
        value = value[0]
    if kind == "Slider":
        return clause({"column": name, "op": "eq", "value": value}, table)
    text = str(value.text if isinstance(value, Number) else value).lower()
    return clause({"column": name, "op": "eq", "value": text in ("true", "1", "yes", "on")}, table)


def date_text(column, ends):
    ends = [moment(end) if end else None for end in ends]

    def at(row):
        try:
            value = moment(column.values[row])[0]
        except (Refused, TypeError):
            return None
        low, high = ends
        return (low is None or compare("ge", value, low)) and (high is None or compare("le", value, high))

    return at


def every(tests):
    def at(row):
        results = [test(row) for test in tests]
        return False if False in results else None if None in results else True

    return at


def some(tests):
    def at(row):
        results = [test(row) for test in tests]
        return True if True in results else None if None in results else False

    return at


def node_test(node, table):
    for name, combined in (("and", every), ("or", some)):
        if name in node:
            tests = [node_test(child, table) for child in node[name]]
            kept = [test for test in tests if test is not None]
            return combined(kept) if kept or not tests else None
    if "not" in node:
        test = node_test(node["not"], table)
        if test is None:
            return None
        return lambda row: None if (result := test(row)) is None else not result
    if "op" in node:
        return clause(node, table)
    return record(node, table)


def rows_that_pass(case, tables):
    table = tables[case["data"]]
    tests = [node_test(node, table) for node in case["filters"]]
    test = every([test for test in tests if test is not None])
    count = len(next(iter(table.values())).values)
    return [row for row in range(count) if test(row) is True]


class Encoder(json.JSONEncoder):
    """Numbers as they were written."""

    def encode(self, value):
        if isinstance(value, Number):
            return value.text
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)}: {self.encode(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.encode, value)) + "]"
        return json.dumps(value, ensure_ascii=True)


def main():
    data = json.loads((HERE / "data.json").read_text("utf-8"))
    tables = {table["name"]: {c["name"]: Column(c) for c in table["columns"]} for table in data}
    text = (HERE / "cases.json").read_text("utf-8")
    cases = json.loads(text, parse_int=Number, parse_float=Number)
    wrong = 0
    for case in cases:
        try:
            found = {"rows": [Number(str(row)) for row in rows_that_pass(case, tables)]}
        except Refused:
            found = {"error": case.get("error", "?")}
        stated = {name: case[name] for name in ("rows", "error") if name in case}
        if Encoder().encode(stated) != Encoder().encode(found):
            wrong += 1
            if "--write" not in sys.argv:
                print(Encoder().encode(case), "->", Encoder().encode(found), file=sys.stderr)
        for name in ("rows", "error"):
            case.pop(name, None)
        case.update(found)
    if "--write" in sys.argv:
        lines = ",\n".join(Encoder().encode(case) for case in cases)
        (HERE / "cases.json").write_text(f"[\n{lines}\n]\n", "utf-8")
    print(f"{len(cases)} cases, {wrong} {'changed' if '--write' in sys.argv else 'wrong'}")
    return 0 if "--write" in sys.argv or not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
